// SPDX-License-Identifier: MIT
/*
 * Containers, virtual destructors, over-aligned objects and exceptions.
 */
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct shape {
	virtual ~shape() = default;
	virtual long area() const = 0;
};

struct square : shape {
	explicit square(long side) : side(side) {}
	long area() const override { return side * side; }
	long side;
};

struct alignas(128) wide : shape {
	explicit wide(long width) : width(width) {}
	long area() const override { return width; }
	long width;
};

long sum_of_areas()
{
	std::map<std::string, std::vector<std::unique_ptr<shape>>> shapes;
	long sum = 0;

	for (long i = 0; i < 3000; i++) {
		auto &list = shapes["a name too long for the string " +
				    std::to_string(i % 100)];

		if (i % 2)
			list.emplace_back(new square(i % 10));
		else
			list.emplace_back(new wide(i % 10));
	}
	for (auto &entry : shapes)
		for (auto &one : entry.second) {
			auto *aligned = dynamic_cast<wide *>(one.get());

			if (reinterpret_cast<std::uintptr_t>(aligned) % 128)
				throw std::runtime_error("not aligned");
			sum += one->area();
		}
	return sum;
}

bool throws_bad_alloc(std::size_t size)
{
	try {
		::operator delete(::operator new(size));
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

}

int main()
{
	volatile std::size_t impossible = SIZE_MAX / 4 * 3;
	long sum = sum_of_areas();

	std::printf("the sum is %ld\n", sum);
	if (sum != 300 * (1 + 9 + 25 + 49 + 81) + 300 * (2 + 4 + 6 + 8))
		return 1;
	if (!throws_bad_alloc(impossible))
		return 1;
	std::puts("done");
	return 0;
}
