// SPDX-License-Identifier: MIT
/*
 * planted KIND SIZE [good]: makes an error of a kind with a block of a size, or
 * does the same without the error. Ends with the word "survived" if nothing
 * stopped it, and with "unseen" where it looked for itself and found what it
 * should not have. planted list: the kinds.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define OTHERS	40

static size_t size;
static int good;

/* The compiler sees no connection between what goes in and what comes out. */
static void *opaque(void *ptr)
{
	__asm__ volatile("" : "+r"(ptr) : : "memory");
	return ptr;
}

static char *block(void)
{
	char *p = opaque(malloc(size));

	if (!p)
		_Exit(99);
	memset(p, 'x', size);
	return p;
}

static void release(void *ptr)
{
	free(opaque(ptr));
}

/* Requests of the same size, as a program would go on. */
static void traffic(unsigned int n)
{
	void *blocks[OTHERS];
	unsigned int i;

	while (n--) {
		for (i = 0; i < OTHERS; i++)
			blocks[i] = block();
		for (i = 0; i < OTHERS; i++)
			release(blocks[i]);
	}
}

static void unseen(void)
{
	puts("unseen");
	exit(0);
}

static void double_free_at_once(void)
{
	char *p = block();

	release(p);
	if (!good)
		release(p);
}

static void double_free_delayed(void)
{
	char *p = block();

	release(p);
	release(block());
	release(block());
	if (!good)
		release(p);
}

static void double_free_interleaved(void)
{
	char *p = block(), *q = block();

	release(p);
	release(q);
	if (!good)
		release(p);
}

static void double_free_after_others(void)
{
	char *others[OTHERS], *p = block();
	unsigned int i;

	for (i = 0; i < OTHERS; i++)
		others[i] = block();
	release(p);
	for (i = 0; i < OTHERS; i++)
		release(others[i]);
	if (!good)
		release(p);
}

static void double_free_after_reuse(void)
{
	char *p = block(), *q = block(), *r;

	release(p);
	release(q);
	r = block();
	if (!good)
		release(r == p ? q : p);
}

static void *thread_frees(void *ptr)
{
	release(ptr);
	return NULL;
}

static void double_free_in_thread(void)
{
	char *p = block();
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_frees, p))
		_Exit(99);
	pthread_join(thread, NULL);
	if (!good)
		release(p);
}

static void double_free_after_realloc(void)
{
	char *p = block();
	char *q = opaque(realloc(opaque(p), size * 40));

	release(q);
	if (!good)
		release(p == q ? q : p);
}

static void free_interior(void)
{
	char *p = block();

	release(p + (good ? 0 : size / 2 + 16));
}

static void free_misaligned(void)
{
	char *p = block();

	release(p + !good);
}

static void free_end(void)
{
	char *p = block();

	release(p + (good ? 0 : size));
}

static void free_far(void)
{
	char *p = block();

	release(p + (good ? 0 : 1l << 33));
}

static void free_stack(void)
{
	char on_stack[64] = "", *p = block();

	release(good ? p : on_stack);
}

static void free_global(void)
{
	static char global[64];

	release(good ? block() : global);
}

static char *foreign(int prot)
{
	char *p = mmap(NULL, size + 65536, prot, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p + 4096;
}

static void free_foreign(void)
{
	release(good ? block() : foreign(PROT_READ | PROT_WRITE));
}

static void free_closed(void)
{
	release(good ? block() : foreign(PROT_NONE));
}

static void realloc_freed(void)
{
	char *p = block();

	if (!good)
		release(p);
	release(realloc(opaque(p), size + 100));
}

static void realloc_interior(void)
{
	char *p = block();

	release(realloc(opaque(p + (good ? 0 : 16)), size + 100));
}

static void usable_freed(void)
{
	char *p = block();

	if (!good)
		release(p);
	if (malloc_usable_size(opaque(p)) < size)
		unseen();
}

static void overflow(size_t offset, char value)
{
	char *p = block(), *q = block();

	((char *)opaque(p))[good ? size - 1 : size + offset] = value;
	opaque(p);
	release(p);
	release(q);
}

static void overflow_by_1(void)
{
	overflow(0, 'y');
}

static void overflow_by_nul(void)
{
	overflow(0, 0);
}

static void overflow_by_8(void)
{
	overflow(7, 'y');
}

static void overflow_by_16(void)
{
	overflow(15, 'y');
}

static void overflow_string(void)
{
	char *p = block(), *q = block(), *text = opaque(malloc(size + 32));

	memset(text, 'y', size + 32);
	text[good ? size - 1 : size + 20] = '\0';
	strcpy(opaque(p), opaque(text));
	release(p);
	release(q);
}

static void overflow_unfreed(void)
{
	char *p = block();

	((char *)opaque(p))[good ? size - 1 : size] = 'y';
	opaque(p);
}

static void overflow_grown(void)
{
	char *p = block();

	((char *)opaque(p))[good ? size - 1 : size] = 'y';
	release(realloc(opaque(p), size * 4));
}

static void overflow_read(void)
{
	volatile char *p = opaque(block());

	if (p[good ? size - 1 : size] != 'z' && !good)
		unseen();
	release((void *)p);
}

static void underflow(size_t bytes)
{
	char *p = block(), *q = block();

	((char *)opaque(p))[good ? 0 : -(ptrdiff_t)bytes] = 'y';
	opaque(p);
	release(p);
	release(q);
}

static void underflow_by_1(void)
{
	underflow(1);
}

static void underflow_by_8(void)
{
	underflow(8);
}

static void underflow_by_16(void)
{
	underflow(16);
}

static void write_after_free(size_t offset, unsigned int rounds)
{
	char *p = block();

	if (!good)
		release(p);
	((char *)opaque(p))[offset] = 'y';
	opaque(p);
	if (good)
		release(p);
	traffic(rounds);
}

static void write_after_free_start(void)
{
	write_after_free(0, 0);
}

static void write_after_free_middle(void)
{
	write_after_free(size / 2 + 1, 0);
}

static void write_after_free_end(void)
{
	write_after_free(size - 1, 0);
}

static void write_after_free_reuse(void)
{
	write_after_free(1, 200);
}

static void write_after_realloc(void)
{
	char *p = block();
	char *q = opaque(realloc(opaque(p), size * 40));

	((char *)opaque(good ? q : p))[0] = 'y';
	release(q);
	traffic(2);
}

static void read_after_free(void)
{
	volatile char *p = opaque(block());
	size_t i, stale = 0;

	if (!good)
		release((void *)p);
	for (i = 0; i < 8; i++)
		stale += p[i] == 'x';
	if (good)
		release((void *)p);
	else if (stale)
		unseen();
}

static void read_uninitialised(void)
{
	size_t i, stale = 0;
	char *p;

	traffic(1);
	p = opaque(malloc(size));
	if (good)
		memset(p, 0, size);
	for (i = 0; i < 8; i++)
		stale += p[i] == 'x';
	if (stale)
		unseen();
	release(p);
}

static void copy_too_much(void)
{
	char *p = block(), *q = block(), *from = opaque(malloc(size + 64));

	memcpy(opaque(p), opaque(from), good ? size : size + 64);
	opaque(p);
	release(from);
	release(q);
	release(p);
}

static void copy_from_behind(void)
{
	char *p = block(), *to = opaque(malloc(size + 64));

	memcpy(opaque(to), opaque(p), good ? size : size + 64);
	opaque(to);
	release(to);
	release(p);
}

static void set_too_much(void)
{
	char *p = block(), *q = block();

	memset(opaque(p), 'y', good ? size : size + 48);
	opaque(p);
	release(q);
	release(p);
}

extern void free_sized(void *ptr, size_t size);
#pragma weak free_sized

static void sized_free(void)
{
	char *p = block();

	if (free_sized)
		free_sized(opaque(p), good ? size : size + 1);
}

static void write_no_bytes(void)
{
	char *p = opaque(malloc(good ? size : 0));

	p[0] = 'y';
	opaque(p);
	release(p);
}

static void read_no_bytes(void)
{
	volatile char *p = opaque(malloc(good ? size : 0));

	if (p[0] == 'z' || !good)
		unseen();
	release((void *)p);
}

#define KIND(name)	{ #name, name }

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	KIND(double_free_at_once), KIND(double_free_delayed),
	KIND(double_free_interleaved), KIND(double_free_after_others),
	KIND(double_free_after_reuse), KIND(double_free_in_thread),
	KIND(double_free_after_realloc), KIND(free_interior),
	KIND(free_misaligned), KIND(free_end), KIND(free_far),
	KIND(free_stack), KIND(free_global), KIND(free_foreign),
	KIND(free_closed), KIND(realloc_freed), KIND(realloc_interior),
	KIND(usable_freed), KIND(overflow_by_1), KIND(overflow_by_nul),
	KIND(overflow_by_8), KIND(overflow_by_16), KIND(overflow_string),
	KIND(overflow_unfreed), KIND(overflow_grown), KIND(overflow_read),
	KIND(underflow_by_1), KIND(underflow_by_8), KIND(underflow_by_16),
	KIND(write_after_free_start), KIND(write_after_free_middle),
	KIND(write_after_free_end), KIND(write_after_free_reuse),
	KIND(write_after_realloc), KIND(read_after_free),
	KIND(read_uninitialised), KIND(copy_too_much),
	KIND(copy_from_behind), KIND(set_too_much), KIND(sized_free),
	KIND(write_no_bytes), KIND(read_no_bytes),
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (argc == 2)
			puts(kinds[i].name);
		if (argc < 3 || strcmp(argv[1], kinds[i].name))
			continue;
		size = strtoul(argv[2], NULL, 0);
		good = argc > 3;
		kinds[i].make();
		puts("survived");
		return 0;
	}
	return argc != 2;
}
