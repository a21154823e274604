// SPDX-License-Identifier: MIT
/*
 * The program uses up vm.max_map_count by itself: requests of all sizes are
 * served all the same. And many live objects use few mappings.
 *
 *	map_count protect|map|objects
 */
#include <sys/mman.h>

#include "program.h"

#define PAGE		((size_t)4096)
#define EACH		200

static const size_t sizes[] = { 32, 1000, 10000, 60000, 300000, 5000000 };

/* Every second page of a mapping protected, until there are too many. */
static void cut_to_pieces(void)
{
	size_t size = 80000 * 2 * PAGE, i;
	char *all = mmap(NULL, size, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(all != MAP_FAILED);
	for (i = 0; i < size; i += 2 * PAGE)
		if (mprotect(all + i, PAGE, PROT_READ))
			return;
	CHECK(!"vm.max_map_count is too large for this test");
}

/* No two of the same kind beside one another. */
static void map_pages(void)
{
	size_t i;

	for (i = 0; i < 160000; i++)
		if (mmap(NULL, PAGE, i & 1 ? PROT_READ : PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			return;
	CHECK(!"vm.max_map_count is too large for this test");
}

static void expect_to_be_served(void)
{
	static void *objs[ARRAY_LENGTH(sizes)][EACH];
	size_t i, j, served = 0;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < EACH; j++) {
			objs[i][j] = malloc(sizes[i]);
			if (!objs[i][j])
				continue;
			memset(objs[i][j], (int)i, PAGE < sizes[i] ? PAGE :
								 sizes[i]);
			served++;
		}
	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		for (j = 0; j < EACH; j++)
			free(objs[i][j]);
	at_least("requests of 1200 served without a mapping left",
		 (double)served, 1000);
}

/* Half of them free, so that the rest cannot be one piece. */
static void expect_few_mappings(void)
{
	static char *objs[20000];
	size_t i, most;

	for (i = 0; i < ARRAY_LENGTH(objs); i++) {
		objs[i] = malloc(20000 + i * 7919 % 40000);
		CHECK(objs[i]);
		objs[i][0] = 1;
	}
	most = mappings();
	for (i = 0; i < ARRAY_LENGTH(objs); i += 2)
		free(objs[i]);
	if (mappings() > most)
		most = mappings();
	at_most("mappings with 20,000 live objects of 20 to 60 kB",
		(double)most, 64);
}

int main(int argc, char **argv)
{
	need_hakmem();
	CHECK(argc == 2);
	if (!strcmp(argv[1], "objects")) {
		expect_few_mappings();
		return finish();
	}
	printf("# %s\n", argv[1]);
	if (!strcmp(argv[1], "protect"))
		cut_to_pieces();
	else
		map_pages();
	expect_to_be_served();
	return finish();
}
