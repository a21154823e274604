// SPDX-License-Identifier: MIT
/*
 * A live set of 32 MiB whose objects change their size twelve times, and of
 * each size one in a hundred stays for ever: what the others left must serve
 * the next size, though nearly every slab and most pages have a survivor.
 *
 *	size_phases FIRST[,random][,cgroup]
 *
 * from that size on, each twice the one before; freed in the order in which
 * they were allocated or in a random one; in a group of its own that may have
 * 128 MiB, where groups can be made.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

#define LIVE		(32 * MIB)
#define PHASES		12
#define PEAK_MIB	110
#define GROUP_LIMIT	"134217728"

static uint64_t state = 88172645463325252;

static size_t random_below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static void shuffle(char **objs, size_t count)
{
	char *other;
	size_t i, j;

	for (i = count; i > 1; i--) {
		j = random_below(i);
		other = objs[j];
		objs[j] = objs[i - 1];
		objs[i - 1] = other;
	}
}

/* Free all but some; these stay allocated, and hold what they were given. */
static void let_go(char **objs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (random_below(100))
			free(objs[i]);
}

static char **fill(size_t size, size_t count)
{
	char **objs = malloc(count * sizeof(*objs));
	size_t i;

	CHECK(objs);
	for (i = 0; i < count; i++) {
		objs[i] = malloc(size);
		CHECK(objs[i]);
		memset(objs[i], 1, size);
	}
	return objs;
}

static int live(size_t size, int random)
{
	size_t count = 0, phase;
	char **objs = NULL;

	printf("# sizes from %zu bytes on%s\n", size,
	       random ? ", freed in random order" : "");
	for (phase = 0; phase < PHASES; phase++) {
		if (random)
			shuffle(objs, count);
		let_go(objs, count);
		free(objs);
		count = LIVE / size;
		objs = fill(size, count);
		size *= 2;
	}
	at_most("peak with 32 MiB live, MiB", status_kib("VmHWM:") / 1024,
		PEAK_MIB);
	return finish();
}

static int write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	ssize_t length = (ssize_t)strlen(text);
	int fd, failed;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	failed = write(fd, text, strlen(text)) != length;
	close(fd);
	return failed ? -1 : 0;
}

/* Return: whether there is a group with that limit now. */
static int make_group(char *folder, size_t size, const char *parent,
		      const char *limit)
{
	snprintf(folder, size, "%s/hakmem-%d", parent, (int)getpid());
	if (mkdir(folder, 0700))
		return 0;
	if (!write_file(folder, limit, GROUP_LIMIT))
		return 1;
	rmdir(folder);
	return 0;
}

/* Who takes more is killed. */
static int live_in_group(size_t size, int random)
{
	char folder[128], text[16];
	int status;
	pid_t pid;

	if (!make_group(folder, sizeof(folder), "/sys/fs/cgroup/memory",
			"memory.limit_in_bytes") &&
	    !make_group(folder, sizeof(folder), "/sys/fs/cgroup",
			"memory.max")) {
		printf("# no group could be made\n");
		return live(size, random);
	}
	printf("# in a group of 128 MiB\n");
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		snprintf(text, sizeof(text), "%d", (int)getpid());
		CHECK(!write_file(folder, "cgroup.procs", text));
		exit(live(size, random));
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	rmdir(folder);
	CHECK(!status);
	return 0;
}

int main(int argc, char **argv)
{
	size_t size;
	int random;

	need_hakmem();
	CHECK(argc == 2);
	size = strtoul(argv[1], NULL, 10);
	random = strstr(argv[1], ",random") != NULL;
	return strstr(argv[1], ",cgroup") ? live_in_group(size, random) :
					    live(size, random);
}
