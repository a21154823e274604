// SPDX-License-Identifier: MIT
/*
 * Content, chance and figures for tests. Nothing here allocates, so that it
 * works where memory has run out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

#define WEYL	0x9e3779b97f4a7c15ULL

void pattern_fill(void *ptr, size_t size, uint64_t seed)
{
	unsigned char *p = ptr;
	uint64_t word = mix(seed);
	size_t i;

	for (i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(p + i, &word, sizeof(word));
		word += WEYL;
	}
	memcpy(p + i, &word, size - i);
}

bool pattern_intact(const void *ptr, size_t size, uint64_t seed)
{
	const unsigned char *p = ptr;
	uint64_t word = mix(seed), found;
	size_t i;

	if (!size)
		return true;
	for (i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		/* Not memcmp(): most compilers call that for each word. */
		memcpy(&found, p + i, sizeof(found));
		if (found != word)
			return false;
		word += WEYL;
	}
	return !memcmp(p + i, &word, size - i);
}

bool bytes_are(const void *ptr, size_t size, unsigned char value)
{
	const unsigned char *p = ptr;

	if (!size)
		return true;
	return p[0] == value && !memcmp(p, p + 1, size - 1);
}

uint64_t prng_seed(void)
{
	const char *text = getenv("KUNIT_SEED");

	return text ? strtoull(text, NULL, 0) : 12345;
}

uint64_t prng_next(struct prng *prng)
{
	prng->state += WEYL;
	return mix(prng->state);
}

size_t prng_below(struct prng *prng, size_t bound)
{
	return (size_t)(prng_next(prng) % bound);
}

size_t prng_size(struct prng *prng, size_t max)
{
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(max | 1);
	uint64_t mask = (2ULL << prng_below(prng, bits)) - 1;
	size_t size = (size_t)(prng_next(prng) & mask);

	return size > max ? max : size;
}

bool process_is_emulated(void)
{
	const char *emulator = getenv("EMULATOR");

	return emulator && *emulator;
}

size_t process_status(const char *field)
{
	char text[4096];
	char *line;
	ssize_t got;
	int fd;

	if (process_is_emulated())
		return 0;
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got < 0)
		abort();
	close(fd);
	text[got] = '\0';
	line = strstr(text, field);
	if (!line)
		abort();
	return strtoul(line + strlen(field), NULL, 10) * KIB;
}

size_t process_mappings(void)
{
	char text[4096];
	size_t lines = 0;
	ssize_t got, i;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	while ((got = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < got; i++)
			lines += text[i] == '\n';
	close(fd);
	return lines;
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double seconds_of_children(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	timeradd(&usage.ru_utime, &usage.ru_stime, &usage.ru_utime);
	return (double)usage.ru_utime.tv_sec +
	       (double)usage.ru_utime.tv_usec * 1e-6;
}
