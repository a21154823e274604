// SPDX-License-Identifier: MIT
/*
 * strings - a text program: little strings that live shortly
 *
 * LINES times: builds a line of some words in a growing buffer, splits it into
 * copies of its words, sorts them, counts each in a hash table whose entries
 * point to strings of their own, joins them and frees all but the table. The
 * table is emptied every thousand lines. A word is an operation.
 */
#include "bench.h"

#define NR_BUCKETS	4096
#define MAX_WORDS	24
#define LINES_PER_TABLE	1000

struct entry {
	struct entry *next;
	char *word;
	uint64_t count;
};

enum { LINES, VOCABULARY };

static struct argument arguments[] = {
	[LINES] = NUMBER("LINES", 200000, 1, UINT32_MAX),
	[VOCABULARY] = NUMBER("VOCABULARY", 20000, 1, UINT32_MAX),
};

static struct entry *buckets[NR_BUCKETS];
static uint64_t random_state;

static void *checked(void *block)
{
	if (!block)
		die("malloc", ENOMEM);
	return block;
}

/* A word's number decides its letters, and its length from 2 to 33 */
static size_t spell(char *to, uint64_t word)
{
	uint64_t letters = first_random(word, 0);
	size_t length = 2 + letters % 8 * (letters >> 8) % 32;

	for (size_t i = 0; i < length; i++)
		to[i] = 'a' + next_random(&letters) % 26;
	to[length] = '\0';
	return length;
}

static char *write_line(size_t nr_words)
{
	size_t length = 0, room = 16;
	char *line = checked(malloc(room));
	char word[40];

	for (size_t i = 0; i < nr_words; i++) {
		uint32_t random = next_random(&random_state) >> 32;
		size_t n = spell(word, random_below(random,
						arguments[VOCABULARY].value));

		if (length + n + 1 >= room)
			line = checked(realloc(line, room = room * 2 + n));
		memcpy(line + length, word, n);
		length += n;
		line[length++] = ' ';
	}
	line[length] = '\0';
	return line;
}

static size_t split(const char *line, char **words)
{
	size_t n = 0;

	while (*line) {
		size_t length = strcspn(line, " ");

		words[n] = checked(malloc(length + 1));
		memcpy(words[n], line, length);
		words[n++][length] = '\0';
		line += length + 1;
	}
	return n;
}

static int compare_words(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void count(const char *word)
{
	struct entry **bucket, *entry;
	size_t hash = 5381;

	for (const char *c = word; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	bucket = &buckets[hash % NR_BUCKETS];
	for (entry = *bucket; entry; entry = entry->next) {
		if (!strcmp(entry->word, word)) {
			entry->count++;
			return;
		}
	}
	entry = checked(malloc(sizeof(*entry)));
	entry->word = checked(strdup(word));
	entry->count = 1;
	entry->next = *bucket;
	*bucket = entry;
}

static void empty_table(void)
{
	for (size_t i = 0; i < NR_BUCKETS; i++) {
		while (buckets[i]) {
			struct entry *entry = buckets[i];

			buckets[i] = entry->next;
			free(entry->word);
			free(entry);
		}
	}
}

static uint64_t run_line(void)
{
	size_t nr_words = 1 + (next_random(&random_state) >> 32) % MAX_WORDS;
	char *line = write_line(nr_words);
	char *words[MAX_WORDS];
	char *joined;
	size_t n = split(line, words);

	qsort(words, n, sizeof(*words), compare_words);
	joined = checked(calloc(strlen(line) + 1, 1));
	for (size_t i = 0, end = 0; i < n; i++) {
		count(words[i]);
		end = (size_t)(stpcpy(joined + end, words[i]) - joined);
	}
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	free(line);
	free(joined);
	return n;
}

int main(int argc, char **argv)
{
	uint64_t operations = 0;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	random_state = first_random(1, 0);
	began = now();
	for (uint64_t i = 1; i <= arguments[LINES].value; i++) {
		operations += run_line();
		if (i % LINES_PER_TABLE == 0)
			empty_table();
	}
	empty_table();
	print_throughput(operations, now() - began);
	return EXIT_SUCCESS;
}
