// SPDX-License-Identifier: MIT
/*
 * What lies unused goes back to the kernel, while the program does little.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ace.h"
#include "mm/reclaim.h"

/* It takes several looks and decay intervals; the machine may be busy. */
#define LOOK_SECONDS	(CONFIG_HAKMEM_ACE_TICK_MS / 1000.0)
#define DECAY_MS	"300"
#define DECAY_SECONDS	0.3
#define IDLE_SECONDS	(2.0 + 6 * (DECAY_SECONDS + LOOK_SECONDS))

/* Beside what may stay: records, tables, and the trickle's own objects. */
#define SLACK		(4 * MIB)

static size_t resident_bytes(void)
{
	char text[128] = "";
	size_t pages;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (read(fd, text, sizeof(text) - 1) < 0)
		abort();
	close(fd);
	pages = strtoul(strchr(text, ' '), NULL, 10);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void trickle(void)
{
	/* The last is always a slow path, however deep magazines are. */
	static const size_t sizes[] = {
		100, 2000, 6000, 20000, 50000, 150000, 700000, 3000000,
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		hak_free(hak_malloc(sizes[i]));
	usleep(10000);
}

/* Hardly any requests until not more is resident, or time is up. */
static void expect_shrinks(struct kunit *test, size_t most)
{
	double start = seconds_now(), spent;
	size_t resident;

	do {
		trickle();
		resident = resident_bytes();
		spent = seconds_now() - start;
	} while (resident > most && spent < ace_patience(IDLE_SECONDS));
	KUNIT_EXPECT_MSG(test, resident <= most,
			 "%zu KiB are resident after %.2f s, not %zu",
			 resident / KIB, spent, most / KIB);
	kunit_info(test, "%zu KiB are resident after %.2f s", resident / KIB,
		   spent);
}

#define MIXED_BYTES	(200 * MIB)

static void **fill_with_mixed_sizes(struct kunit *test, size_t *count)
{
	struct prng prng = { prng_seed() };
	size_t size, bytes = 0, n = 0;
	void **objs = malloc(MIXED_BYTES / KIB * sizeof(*objs));

	KUNIT_ASSERT_NOT_NULL(test, objs);
	while (bytes < MIXED_BYTES) {
		size = KIB + prng_size(&prng, MIB - KIB);
		objs[n] = hak_malloc(size);
		KUNIT_ASSERT_NOT_NULL(test, objs[n]);
		memset(objs[n++], 1, size);
		bytes += size;
	}
	*count = n;
	return objs;
}

/* Records, and an empty slab of each class, stay with any configuration. */
static void idle_process_shrinks(struct kunit *test)
{
	size_t before, n, i;
	void **objs;

	kunit_need_plain(test);
	trickle();
	before = resident_bytes();
	objs = fill_with_mixed_sizes(test, &n);
	/* Its pages are the test's. */
	before += n * sizeof(*objs);
	KUNIT_EXPECT_GT(test, resident_bytes(), before + MIXED_BYTES);
	for (i = 0; i < n; i++)
		hak_free(objs[i]);
	expect_shrinks(test, before + RETAIN_BYTES + SLACK + MIXED_BYTES / 50);
	free(objs);
}

/* Three units with four objects each: no slab becomes free. */
#define PART_SIZE	(48 * KIB)
#define PARTS		1200

static unsigned char *parts[PARTS];

static bool stays(size_t i)
{
	return i % 3 == 0;
}

static size_t fill_and_free_most(struct kunit *test)
{
	size_t before, i;

	trickle();
	before = resident_bytes();
	for (i = 0; i < PARTS; i++) {
		parts[i] = hak_malloc(PART_SIZE);
		KUNIT_ASSERT_NOT_NULL(test, parts[i]);
		pattern_fill(parts[i], PART_SIZE, i);
	}
	KUNIT_EXPECT_GT(test, resident_bytes(), before + PARTS * PART_SIZE);
	for (i = 0; i < PARTS; i++)
		if (!stays(i))
			hak_free(parts[i]);
	return before + PARTS / 3 * PART_SIZE;
}

static void expect_the_rest_intact(struct kunit *test)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		KUNIT_EXPECT_TRUE(test, !stays(i) ||
				  pattern_intact(parts[i], PART_SIZE, i));
	for (i = 0; i < PARTS; i++) {
		if (stays(i))
			continue;
		parts[i] = hak_calloc(1, PART_SIZE);
		KUNIT_ASSERT_TRUE(test, parts[i] &&
				  bytes_are(parts[i], PART_SIZE, 0));
	}
}

static void partly_used_slabs_shrink(struct kunit *test)
{
	size_t live = fill_and_free_most(test);

	kunit_need_plain(test);
	expect_shrinks(test, live + SLACK);
	expect_the_rest_intact(test);
}

static void trim_shrinks_at_once(struct kunit *test)
{
	size_t live = fill_and_free_most(test);

	kunit_need_plain(test);
	KUNIT_EXPECT_EQ(test, hak_malloc_trim(0), 1);
	KUNIT_EXPECT_LE(test, resident_bytes(), live + SLACK);
	expect_the_rest_intact(test);
}

static const struct kunit_case idle_cases[] = {
	KUNIT_CASE(idle_process_shrinks),
	KUNIT_CASE(partly_used_slabs_shrink),
	KUNIT_CASE(trim_shrinks_at_once),
	{}
};

static int choose_decay(struct kunit *test)
{
	(void)test;
	return setenv("HAKMEM_DECAY_MS", DECAY_MS, 1);
}

static const struct kunit_suite idle_suite = {
	.name = "idle",
	.init = choose_decay,
	.test_cases = idle_cases,
};
kunit_test_suite(idle_suite);
