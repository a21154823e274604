// SPDX-License-Identifier: MIT
/*
 * Calls all replaceable operators, and the parts of the C++ library that
 * allocate
 */
#include <cstdint>
#include <malloc.h>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"

using std::align_val_t;
using std::nothrow;

static int handler_calls;

static bool is_aligned(const void *ptr, std::size_t alignment)
{
	return ptr && reinterpret_cast<std::uintptr_t>(ptr) % alignment == 0;
}

static void use_plain_operators()
{
	operator delete(operator new(10));
	operator delete[](operator new[](10));
	operator delete(operator new(10), std::size_t(10));
	operator delete[](operator new[](10), std::size_t(10));
	operator delete(operator new(10, nothrow), nothrow);
	operator delete[](operator new[](10, nothrow), nothrow);
}

static void use_aligned_operators()
{
	align_val_t page{4096};
	void *block = operator new(10, page);
	void *blocks = operator new[](10, page);

	CHECK(is_aligned(block, 4096) && is_aligned(blocks, 4096));
	operator delete(block, page);
	operator delete[](blocks, page);
	operator delete(operator new(10, page), 10, page);
	operator delete[](operator new[](10, page), 10, page);
	operator delete(operator new(10, page, nothrow), page, nothrow);
	operator delete[](operator new[](10, page, nothrow), page, nothrow);
}

static void give_up()
{
	handler_calls++;
	std::set_new_handler(nullptr);
}

static void run_out_of_memory()
{
	volatile std::size_t size = SIZE_MAX / (sizeof(void *) > 4 ? 2 : 1);
	bool caught = false;

	std::set_new_handler(give_up);
	try {
		operator delete(operator new(size));
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	CHECK(caught && handler_calls == 1);
	CHECK(!operator new(size, nothrow));
	CHECK(!operator new[](size, align_val_t{64}, nothrow));
}

static void use_library()
{
	std::map<std::string, std::vector<int>> table;
	std::ostringstream text;

	for (int i = 0; i < 20000; i++)
		table["key " + std::to_string(i % 777)].push_back(i);
	for (const auto &entry : table)
		text << entry.first << ' ' << entry.second.size() << '\n';
	CHECK(table.size() == 777);
	CHECK(text.str().size() > 777 * 8);
	try {
		table.at("no such key");
		CHECK(false);
	} catch (const std::out_of_range &) {
	}

	auto shared = std::make_shared<std::string>(5000, 'x');
	std::thread thread([shared] { CHECK(shared->size() == 5000); });

	thread.join();
	malloc_trim(0);
}

int main()
{
	use_plain_operators();
	use_aligned_operators();
	run_out_of_memory();
	use_library();
	use_threads_and_fork();
	std::puts("done");
}
