// SPDX-License-Identifier: MIT
/*
 * The helpers: alignment, bit arrays, lists, formatting.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "kunit.h"
#include "lib/align.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/print.h"
#include "memory.h"

static void powers_of_two(struct kunit *test)
{
	size_t n;

	KUNIT_EXPECT_FALSE(test, is_power_of_two(0));
	for (n = 1; n < 5000; n++) {
		unsigned int log2 = log2_floor(n);
		size_t up = roundup_power_of_two(n);

		KUNIT_EXPECT_TRUE(test, (size_t)1 << log2 <= n);
		KUNIT_EXPECT_TRUE(test, n >> log2 == 1);
		KUNIT_EXPECT_EQ(test, is_power_of_two(n),
				n == (size_t)1 << log2);
		KUNIT_EXPECT_TRUE(test, is_power_of_two(up));
		KUNIT_EXPECT_TRUE(test, up >= n && up / 2 < n);
	}
	KUNIT_EXPECT_EQ(test, log2_floor(SIZE_MAX), 8 * sizeof(size_t) - 1);
	KUNIT_EXPECT_EQ(test, roundup_power_of_two(SIZE_MAX / 2),
			SIZE_MAX / 2 + 1);
}

static void aligning(struct kunit *test)
{
	size_t n, a;

	for (a = 1; a <= 4096; a *= 2)
		for (n = 0; n < 10000; n += 7) {
			size_t up = (n + a - 1) / a * a;

			KUNIT_ASSERT_EQ(test, ALIGN_UP(n, a), up);
			KUNIT_ASSERT_EQ(test, ALIGN_DOWN(n, a), n / a * a);
			KUNIT_ASSERT_EQ(test, IS_ALIGNED(n, a), n % a == 0);
			KUNIT_ASSERT_EQ(test, DIV_ROUND_UP(n, a), up / a);
		}
	/* The mask is as wide as the value, whatever the alignment's type. */
	KUNIT_EXPECT_EQ(test, ALIGN_DOWN((uint64_t)0xffff12345678, 16U),
			(uint64_t)0xffff12345670);
}

#define BITS	200

static void compare_bits(struct kunit *test, const uint64_t *map,
			 const bool *model, struct prng *prng)
{
	unsigned int start = (unsigned int)prng_below(prng, BITS);
	unsigned int n = (unsigned int)prng_below(prng, BITS - start + 1);
	unsigned int i, count = 0, next_set, next_clear, last_set;

	for (i = start; i < start + n; i++)
		count += model[i];
	for (next_set = start; next_set < BITS && !model[next_set]; next_set++)
		;
	for (next_clear = start; next_clear < BITS && model[next_clear];
	     next_clear++)
		;
	KUNIT_ASSERT_EQ(test, bitmap_count_range(map, start, n), count);
	KUNIT_ASSERT_EQ(test, bitmap_next(map, start, BITS, true), next_set);
	KUNIT_ASSERT_EQ(test, bitmap_next(map, start, BITS, false),
			next_clear);
	KUNIT_ASSERT_EQ(test, bitmap_next(map, start, start + n, true),
			min(next_set, start + n));
	KUNIT_ASSERT_EQ(test, bitmap_next(map, start, start + n, false),
			min(next_clear, start + n));
	for (last_set = start; last_set && !model[last_set - 1]; last_set--)
		;
	KUNIT_ASSERT_EQ(test, bitmap_prev_end(map, start), last_set);
	KUNIT_ASSERT_EQ(test, bitmap_test(map, start), model[start]);
}

/* Bits that begin @n set ones in a row, by looking at each. */
static uint64_t search_runs(uint64_t bits, unsigned int n)
{
	uint64_t starts = bits;
	unsigned int i;

	for (i = 1; i < n; i++)
		starts &= bits >> i;
	return starts;
}

static void runs_of_bits(struct kunit *test)
{
	static const uint64_t words[] = {
		0, 1, (uint64_t)1 << 63, ~(uint64_t)0, ~(uint64_t)0 >> 1,
		~(uint64_t)1, 0x00ff0ff0f0f7ffff, 0x5555555555555555,
		0xffffffff00000000, 0x8000000000000001,
	};
	unsigned int i, n, longest;

	for (i = 0; i < ARRAY_LENGTH(words); i++) {
		longest = 0;
		for (n = 1; n <= 64; n++) {
			uint64_t starts = search_runs(words[i], n);

			KUNIT_EXPECT_EQ(test, bits_run_starts(words[i], n),
					starts);
			longest = starts ? n : longest;
		}
		KUNIT_EXPECT_EQ(test, bits_longest_run(words[i]), longest);
	}
}

/* Against an array of bools; ranges of all lengths, 0 and BITS included. */
static void bitmap_follows_its_model(struct kunit *test)
{
	uint64_t map[BITMAP_WORDS(BITS)] = { 0 };
	bool model[BITS] = { false };
	struct prng prng = { prng_seed() };
	unsigned int step;

	for (step = 0; step < 100000; step++) {
		unsigned int start = (unsigned int)prng_below(&prng, BITS);
		unsigned int n = (unsigned int)prng_below(&prng,
							  BITS - start + 1);

		switch (prng_below(&prng, 4)) {
		case 0:
			bitmap_set(map, start);
			model[start] = true;
			break;
		case 1:
			bitmap_clear_range(map, start, 1);
			model[start] = false;
			break;
		case 2:
			bitmap_set_range(map, start, n);
			memset(&model[start], true, n);
			break;
		default:
			bitmap_clear_range(map, start, n);
			memset(&model[start], false, n);
			break;
		}
		compare_bits(test, map, model, &prng);
	}
	KUNIT_EXPECT_EQ(test, map[BITS / 64] >> BITS % 64, 0);
}

struct item {
	int value;
	struct list_head node;
};

static void expect_list(struct kunit *test, struct list_head *head,
			const char *expected)
{
	char text[32] = "";
	struct list_head *pos;
	size_t i = 0;

	list_for_each(pos, head) {
		KUNIT_ASSERT_PTR_EQ(test, pos->next->prev, pos);
		text[i++] = (char)('0' + container_of(pos, struct item,
						      node)->value);
	}
	KUNIT_EXPECT_STREQ(test, text, expected);
}

static void list_keeps_order(struct kunit *test)
{
	struct list_head head = LIST_HEAD_INIT(head);
	struct item items[5];
	int i;

	KUNIT_EXPECT_TRUE(test, list_empty(&head));
	for (i = 0; i < 5; i++) {
		items[i].value = i;
		if (i % 2)
			list_add(&items[i].node, &head);
		else
			list_add_tail(&items[i].node, &head);
	}
	expect_list(test, &head, "31024");
	KUNIT_EXPECT_EQ(test, list_first_entry(&head, struct item,
					       node)->value, 3);
	KUNIT_EXPECT_EQ(test, list_last_entry(&head, struct item,
					      node)->value, 4);
	list_del(&items[0].node);
	list_del(&items[0].node);
	list_del(&items[3].node);
	list_del(&items[4].node);
	expect_list(test, &head, "12");
	list_del(&items[1].node);
	list_del(&items[2].node);
	KUNIT_EXPECT_TRUE(test, list_empty(&head));
}

/* format_buffer() must write what snprintf() writes. */
#define EXPECT_FORMAT(test, ...)					\
	do {								\
		char ours[128], libcs[128];				\
		size_t used = format_buffer(ours, sizeof(ours),		\
					    __VA_ARGS__);		\
		snprintf(libcs, sizeof(libcs), __VA_ARGS__);		\
		KUNIT_EXPECT_STREQ(test, ours, libcs);			\
		KUNIT_EXPECT_EQ(test, used, strlen(libcs));		\
	} while (0)

static void formats_as_libc(struct kunit *test)
{
	EXPECT_FORMAT(test, "plain");
	EXPECT_FORMAT(test, "%% %c|%s|%s", 'x', "text", "");
	EXPECT_FORMAT(test, "%d %d %d %d", 0, -1, INT32_MAX, INT32_MIN);
	EXPECT_FORMAT(test, "%u %x %u", 0U, 0xdeadbeefU, UINT32_MAX);
	EXPECT_FORMAT(test, "%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	EXPECT_FORMAT(test, "%lld %llu", (long long)INT64_MIN,
		      (unsigned long long)UINT64_MAX);
	EXPECT_FORMAT(test, "%zu %zx", SIZE_MAX, SIZE_MAX);
	EXPECT_FORMAT(test, "%p", (void *)(uintptr_t)0x7ffc12345678);
	EXPECT_FORMAT(test, "[%5d|%-5d|%5s|%-5s|%1d]", 42, -42, "ab", "cd",
		      12345);
	EXPECT_FORMAT(test, "[%12zu|%-20lu|%8x]", (size_t)7, 9UL, 0xabcU);
}

/* Whatever the room, what fits is written and terminated, and no more. */
static void formatting_stays_in_its_buffer(struct kunit *test)
{
	static const char expected[] = "12345 and text";
	char buf[32];
	size_t size, used;

	for (size = 0; size < sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		used = format_buffer(buf, size, "%d and %s", 12345, "text");
		KUNIT_EXPECT_TRUE(test, bytes_are(buf + size,
						  sizeof(buf) - size, '#'));
		if (!size)
			continue;
		KUNIT_EXPECT_EQ(test, used, size <= strlen(expected) ?
				size - 1 : strlen(expected));
		KUNIT_EXPECT_TRUE(test, !strncmp(buf, expected, used));
		KUNIT_EXPECT_EQ(test, buf[used], '\0');
	}
}

static void ignore_signal(int signal)
{
	(void)signal;
}

/* A pipe that is drained slowly, and a timer that interrupts each write. */
static void write_all_writes_all(struct kunit *test)
{
	const struct sigaction action = { .sa_handler = ignore_signal };
	const struct itimerval tick = { { 0, 500 }, { 0, 500 } };
	static char data[1 << 20], got[1 << 20];
	size_t used = 0;
	ssize_t n;
	int fds[2];

	pattern_fill(data, sizeof(data), 1);
	KUNIT_ASSERT_EQ(test, pipe(fds), 0);
	if (!fork()) {
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &tick, NULL);
		write_all(fds[1], data, sizeof(data));
		_exit(0);
	}
	close(fds[1]);
	while (used < sizeof(got)) {
		usleep(200);
		n = read(fds[0], got + used, sizeof(got) - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	KUNIT_EXPECT_EQ(test, used, sizeof(got));
	KUNIT_EXPECT_TRUE(test, pattern_intact(got, used, 1));
}

/* An error like others, and not the end of the program by SIGPIPE. */
static void writing_without_a_reader(struct kunit *test)
{
	int fds[2];

	KUNIT_ASSERT_EQ(test, pipe(fds), 0);
	close(fds[0]);
	errno = 4711;
	write_all(fds[1], "x", 1);
	KUNIT_EXPECT_EQ(test, errno, 4711);
	close(fds[1]);
}

static void writing_keeps_errno(struct kunit *test)
{
	errno = 4711;
	write_all(-1, "x", 1);
	KUNIT_EXPECT_EQ(test, errno, 4711);
	write_all(STDERR_FILENO, "", 0);
	KUNIT_EXPECT_EQ(test, errno, 4711);
}

static const struct kunit_case helper_cases[] = {
	KUNIT_CASE(powers_of_two),
	KUNIT_CASE(aligning),
	KUNIT_CASE(runs_of_bits),
	KUNIT_CASE(bitmap_follows_its_model),
	KUNIT_CASE(list_keeps_order),
	KUNIT_CASE(formats_as_libc),
	KUNIT_CASE(formatting_stays_in_its_buffer),
	KUNIT_CASE(write_all_writes_all),
	KUNIT_CASE(writing_without_a_reader),
	KUNIT_CASE(writing_keeps_errno),
	{}
};

static const struct kunit_suite helper_suite = {
	.name = "helper",
	.test_cases = helper_cases,
};
kunit_test_suite(helper_suite);
