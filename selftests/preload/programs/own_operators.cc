// SPDX-License-Identifier: MIT
/*
 * A program that replaces the plain operator new and delete and, as C++
 * allows, no others: those of the library have to end up in these.
 */
#include <algorithm>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "program.h"

/* What it warns of is what is tested. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"
#endif

#define ARENA_SIZE	((std::size_t)32 << 20)

alignas(64) static char arena[ARENA_SIZE];
static std::size_t used, news, deletes;

void *operator new(std::size_t size)
{
	char *block = arena + used;

	used += (size + 63) & ~(std::size_t)63;
	if (used > ARENA_SIZE)
		throw std::bad_alloc();
	news++;
	return block;
}

void operator delete(void *block) noexcept
{
	if (!block)
		return;
	CHECK(block >= arena && block < arena + ARENA_SIZE);
	deletes++;
}

static bool is_ours(void *block)
{
	return block >= arena && block < arena + ARENA_SIZE;
}

static void every_form()
{
	void *p = ::operator new[](100);
	void *q = ::operator new(100, std::nothrow);
	void *r = ::operator new[](100, std::nothrow);
	std::size_t before = deletes;

	CHECK(is_ours(p) && is_ours(q) && is_ours(r));
	::operator delete[](p);
	::operator delete(q, std::nothrow);
	::operator delete[](r, std::nothrow);
	::operator delete(::operator new(10), (std::size_t)10);
	::operator delete[](::operator new[](10), (std::size_t)10);
	CHECK(deletes == before + 5);
}

/* Those were not replaced: they have an allocator of their own. */
static void aligned_forms()
{
	const std::align_val_t align = std::align_val_t(256);
	std::size_t before = news;

	::operator delete(::operator new(100, align), align);
	::operator delete[](::operator new[](100, align), align);
	::operator delete(::operator new(100, align, std::nothrow), 100,
			  align);
	::operator delete[](::operator new[](100, align, std::nothrow), 100,
			    align);
	CHECK(news == before);
}

static void library_allocates()
{
	std::vector<std::string> words;

	for (int i = 0; i < 1000; i++)
		words.push_back(std::to_string(i * 7919 % 1000) +
				" is long enough to be allocated");
	/* Its buffer comes from the nothrow form. */
	std::stable_sort(words.begin(), words.end());
	CHECK(std::is_sorted(words.begin(), words.end()));
}

int main()
{
	need_hakmem();
	every_form();
	aligned_forms();
	library_allocates();
	delete new std::string(100, 'x');
	delete[] new std::string[10];
	CHECK(news == deletes);
	return finish();
}
