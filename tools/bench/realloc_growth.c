// SPDX-License-Identifier: MIT
/*
 * realloc_growth - buffers that grow
 *
 * ROUNDS times BUFFERS buffers, side by side, grow from FROM to TO bytes by an
 * eighth, but 16 bytes at least, at a time. With "ends" each step writes the
 * last byte of a buffer, with "all" everything it got. One realloc is one
 * operation.
 */
#include "bench.h"

enum { ROUNDS, BUFFERS, FROM, TO, TOUCH };

enum { ENDS, ALL };

static const char *const touches[] = { "ends", "all", NULL };

static struct argument arguments[] = {
	[ROUNDS] = NUMBER("ROUNDS", 3, 1, UINT32_MAX),
	[BUFFERS] = NUMBER("BUFFERS", 1, 1, UINT32_MAX),
	[FROM] = NUMBER("FROM", 16, 1, UINT64_MAX / 4),
	[TO] = NUMBER("TO", 512 << 20, 1, UINT64_MAX / 4),
	[TOUCH] = CHOICE("TOUCH", ENDS, touches),
};

static size_t next_size(size_t size)
{
	size_t step = size / 8 > 16 ? size / 8 : 16;

	if (!size)
		return arguments[FROM].value;
	return size + step < arguments[TO].value ? size + step :
						   arguments[TO].value;
}

static char *grow(char *buffer, size_t old_size, size_t size)
{
	char *grown = realloc(buffer, size);

	if (!grown)
		die("realloc", ENOMEM);
	if (old_size && grown[old_size - 1] != 'g')
		die("a buffer lost its content", EFAULT);
	if (arguments[TOUCH].value == ALL)
		memset(grown + old_size, 'g', size - old_size);
	else
		grown[size - 1] = 'g';
	return grown;
}

static uint64_t run_round(char **buffers)
{
	size_t size = 0, old_size;
	uint64_t steps = 0;

	do {
		old_size = size;
		size = next_size(size);
		for (size_t i = 0; i < arguments[BUFFERS].value; i++)
			buffers[i] = grow(buffers[i], old_size, size);
		steps++;
	} while (size < arguments[TO].value);
	for (size_t i = 0; i < arguments[BUFFERS].value; i++) {
		free(buffers[i]);
		buffers[i] = NULL;
	}
	return steps * arguments[BUFFERS].value;
}

int main(int argc, char **argv)
{
	uint64_t operations = 0;
	char **buffers;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	buffers = calloc(arguments[BUFFERS].value, sizeof(*buffers));
	if (!buffers)
		die("buffers", ENOMEM);
	began = now();
	for (uint64_t i = 0; i < arguments[ROUNDS].value; i++)
		operations += run_round(buffers);
	print_throughput(operations, now() - began);
	free(buffers);
	return EXIT_SUCCESS;
}
