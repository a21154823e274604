// SPDX-License-Identifier: MIT
/*
 * Counts words: strings, a table that grows, a buffer of stdio's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_LINES	2000

struct word {
	char *text;
	unsigned int count;
};

struct table {
	struct word *words;
	size_t used;
	size_t size;
};

static int add_word(struct table *table, const char *text)
{
	struct word *words;
	size_t i;

	for (i = 0; i < table->used; i++) {
		if (!strcmp(table->words[i].text, text)) {
			table->words[i].count++;
			return 0;
		}
	}
	if (table->used == table->size) {
		table->size = table->size ? 2 * table->size : 1;
		words = realloc(table->words, table->size * sizeof(*words));
		if (!words)
			return -1;
		table->words = words;
	}
	table->words[table->used].count = 1;
	table->words[table->used].text = strdup(text);
	return table->words[table->used++].text ? 0 : -1;
}

static int count_words(FILE *file, struct table *table)
{
	char *line = NULL;
	char *save, *word;
	size_t size = 0;
	int result = 0;

	while (!result && getline(&line, &size, file) > 0) {
		word = strtok_r(line, " \n", &save);
		for (; word && !result; word = strtok_r(NULL, " \n", &save))
			result = add_word(table, word);
	}
	free(line);
	return result;
}

int main(void)
{
	struct table table = { NULL, 0, 0 };
	unsigned int total = 0;
	FILE *file = tmpfile();
	size_t i;

	if (!file)
		return 1;
	for (i = 0; i < NR_LINES; i++)
		fprintf(file, "%zu apples and %zu pears\n", i % 97, i % 89);
	rewind(file);
	if (count_words(file, &table))
		return 1;
	fclose(file);

	for (i = 0; i < table.used; i++) {
		total += table.words[i].count;
		free(table.words[i].text);
	}
	free(table.words);
	printf("%zu words, %u in all\n", table.used, total);
	if (table.used != 97 + 3 || total != 5 * NR_LINES)
		return 1;
	puts("done");
	return 0;
}
