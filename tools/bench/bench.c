// SPDX-License-Identifier: MIT
/* What the benchmarks have in common, and what none of them measures */
#include <pthread.h>

#include "bench.h"

struct thread {
	pthread_t thread;
	unsigned int number;
};

static void (*thread_body)(unsigned int thread);
static pthread_barrier_t start;

_Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(error));
	exit(EXIT_FAILURE);
}

uint64_t number(const char *text, const char *name, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value < min ||
	    value > max) {
		fprintf(stderr, "%s: %s must be from %" PRIu64 " to %" PRIu64
			", not '%s'\n", program_invocation_short_name, name,
			min, max, text);
		exit(EXIT_FAILURE);
	}
	return value;
}

static uint64_t word_index(const char *text, const struct argument *argument)
{
	for (uint64_t i = 0; argument->words[i]; i++) {
		if (!strcmp(argument->words[i], text))
			return i;
	}
	fprintf(stderr, "%s: %s must be one of", program_invocation_short_name,
		argument->name);
	for (uint64_t i = 0; argument->words[i]; i++)
		fprintf(stderr, " %s", argument->words[i]);
	fprintf(stderr, ", not '%s'\n", text);
	exit(EXIT_FAILURE);
}

static void print_usage(const struct argument *arguments, size_t nr_arguments)
{
	fprintf(stderr, "usage: %s", program_invocation_short_name);
	for (size_t i = 0; i < nr_arguments; i++) {
		const struct argument *argument = &arguments[i];

		fprintf(stderr, " [%s=", argument->name);
		if (argument->words)
			fputs(argument->words[argument->value], stderr);
		else
			fprintf(stderr, "%" PRIu64, argument->value);
	}
	for (size_t i = 0; i < nr_arguments; i++)
		fputc(']', stderr);
	fputc('\n', stderr);
}

/* Those that the command line does not reach keep their defaults. */
void read_arguments(int argc, char **argv, struct argument *arguments,
		    size_t nr_arguments)
{
	if ((size_t)argc > nr_arguments + 1 || (argc > 1 && *argv[1] == '-')) {
		print_usage(arguments, nr_arguments);
		exit(EXIT_FAILURE);
	}
	for (int i = 1; i < argc; i++) {
		struct argument *argument = &arguments[i - 1];

		argument->value = argument->words ?
			word_index(argv[i], argument) :
			number(argv[i], argument->name, argument->min,
			       argument->max);
	}
}

void check_range(const struct argument *min, const struct argument *max)
{
	if (min->value <= max->value)
		return;
	fprintf(stderr, "%s: %s must not be above %s\n",
		program_invocation_short_name, min->name, max->name);
	exit(EXIT_FAILURE);
}

/* A block whose both ends are in use */
void *allocate(size_t size)
{
	char *block = malloc(size);

	if (!block)
		die("malloc", ENOMEM);
	block[0] = 'a';
	block[size - 1] = 'z';
	return block;
}

static void *run_thread(void *argument)
{
	struct thread *thread = argument;

	pthread_barrier_wait(&start);
	thread_body(thread->number);
	return NULL;
}

/* Return: the seconds from the start of all to the end of the last. */
double run_threads(unsigned int nr_threads, void (*body)(unsigned int thread))
{
	struct thread *threads = calloc(nr_threads, sizeof(*threads));
	double began;

	if (!threads)
		die("threads", ENOMEM);
	thread_body = body;
	pthread_barrier_init(&start, NULL, nr_threads + 1);
	for (unsigned int i = 0; i < nr_threads; i++) {
		int error;

		threads[i].number = i;
		error = pthread_create(&threads[i].thread, NULL, run_thread,
				       &threads[i]);
		if (error)
			die("pthread_create", error);
	}
	began = now();
	pthread_barrier_wait(&start);
	for (unsigned int i = 0; i < nr_threads; i++)
		pthread_join(threads[i].thread, NULL);
	free(threads);
	return now() - began;
}

/* The line that tools/bench/compare.sh reads */
void print_throughput(uint64_t operations, double seconds)
{
	printf("Throughput = %.0f operations per second\n",
	       (double)operations / seconds);
}
