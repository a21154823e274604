// SPDX-License-Identifier: MIT
/*
 * All replaceable operators: eight new, twelve delete; the new_handler and
 * bad_alloc.
 */
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "program.h"

static const std::align_val_t align = std::align_val_t(256);

static bool is_aligned(void *p)
{
	return p && !(reinterpret_cast<std::uintptr_t>(p) % 256);
}

static void plain_operators()
{
	void *p = ::operator new(100);
	void *q = ::operator new[](100);
	void *r = ::operator new(0);

	CHECK(p && q && r && p != q && q != r);
	memset(p, 1, 100);
	memset(q, 2, 100);
	::operator delete(p);
	::operator delete[](q);
	::operator delete(r);
	::operator delete(::operator new(3000), std::size_t(3000));
	::operator delete[](::operator new[](70000), std::size_t(70000));
	::operator delete(nullptr);
	::operator delete[](nullptr);
}

static void nothrow_operators()
{
	void *p = ::operator new(100, std::nothrow);
	void *q = ::operator new[](100, std::nothrow);

	CHECK(p && q);
	::operator delete(p, std::nothrow);
	::operator delete[](q, std::nothrow);
}

static void aligned_operators()
{
	void *p = ::operator new(100, align);
	void *q = ::operator new[](100, align);
	void *r = ::operator new(100, align, std::nothrow);
	void *s = ::operator new[](100, align, std::nothrow);

	CHECK(is_aligned(p) && is_aligned(q) && is_aligned(r) &&
	      is_aligned(s));
	::operator delete(p, align);
	::operator delete[](q, align);
	::operator delete(r, align, std::nothrow);
	::operator delete[](s, align, std::nothrow);
	::operator delete(::operator new(500, align), std::size_t(500), align);
	::operator delete[](::operator new[](500, align), std::size_t(500),
			    align);
}

/* Hidden from the compiler, which may refuse or leave out such a call. */
static volatile std::size_t huge =
	(sizeof(void *) > 4 ? SIZE_MAX / 2 : SIZE_MAX) - 100;
static void *volatile result;

template <typename Function> static bool throws_bad_alloc(Function allocate)
{
	try {
		allocate();
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

static void failures()
{
	CHECK(throws_bad_alloc([] { result = ::operator new(huge); }));
	CHECK(throws_bad_alloc([] { result = ::operator new[](huge); }));
	CHECK(throws_bad_alloc([] { result = ::operator new(huge, align); }));
	CHECK(throws_bad_alloc([] { result = ::operator new[](huge, align); }));
	CHECK(!::operator new(huge, std::nothrow));
	CHECK(!::operator new[](huge, std::nothrow));
	CHECK(!::operator new(huge, align, std::nothrow));
	CHECK(!::operator new[](huge, align, std::nothrow));
}

static int handler_calls;

static void give_up_at_third_call()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

static void throw_something_else()
{
	throw std::runtime_error("from the handler");
}

static int calls_until_failure(bool throwing)
{
	handler_calls = 0;
	std::set_new_handler(give_up_at_third_call);
	if (throwing)
		CHECK(throws_bad_alloc([] { result = ::operator new(huge); }));
	else
		CHECK(!::operator new(huge, std::nothrow));
	return handler_calls;
}

static void handlers()
{
	bool seen = false;

	CHECK(calls_until_failure(true) == 3);
	CHECK(calls_until_failure(false) == 3);
	std::set_new_handler(throw_something_else);
	try {
		result = ::operator new(huge);
	} catch (const std::runtime_error &) {
		seen = true;
	}
	CHECK(seen);
	std::set_new_handler(nullptr);
}

struct alignas(128) Overaligned {
	char bytes[200];
};

static void library_types()
{
	std::vector<std::string> words;
	std::vector<Overaligned> boxes(10);

	for (int i = 0; i < 10000; i++)
		words.push_back("a word too long to stay in the string " +
				std::to_string(i));
	CHECK(words[9999].back() == '9');
	CHECK(!(reinterpret_cast<std::uintptr_t>(&boxes[3]) % 128));
	delete new Overaligned;
	delete[] new std::string[20];
}

int main()
{
	need_hakmem();
	plain_operators();
	nothrow_operators();
	aligned_operators();
	failures();
	handlers();
	library_types();
	return finish();
}
