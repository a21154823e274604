// SPDX-License-Identifier: MIT
/*
 * sealed knob SIZE [good]: looks for a knob in the data of the allocator that
 * this program runs on, as a stray store might come upon it, and writes to it;
 * or reads it and no more. Ends with the word "survived" if nothing stopped it.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME	"HAKMEM_DECAY_MS"

/* Where the loader put it, the text of the name, what has its address. */
static struct {
	uintptr_t base;
	const char *name;
	uintptr_t *knob;
} found;

static void search_text(const char *start, size_t size)
{
	size_t i;

	for (i = 0; i + sizeof(NAME) <= size && !found.name; i++) {
		if (!memcmp(start + i, NAME, sizeof(NAME)))
			found.name = start + i;
	}
}

static void search_data(uintptr_t start, size_t size)
{
	uintptr_t *word = (uintptr_t *)(start + -start % sizeof(*word));
	uintptr_t *end = (uintptr_t *)(start + (size & -sizeof(*word)));

	for (; word < end && !found.knob; word++) {
		if (*word == (uintptr_t)found.name)
			found.knob = word;
	}
}

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
	const ElfW(Phdr) *part = info->dlpi_phdr;
	uintptr_t start;

	(void)size;
	if (info->dlpi_addr != found.base)
		return 0;
	for (; part < info->dlpi_phdr + info->dlpi_phnum; part++) {
		start = info->dlpi_addr + part->p_vaddr;
		if (part->p_type != PT_LOAD)
			continue;
		if (data && part->p_flags & PF_W)
			search_data(start, part->p_filesz);
		else if (!data && !(part->p_flags & PF_W))
			search_text((const char *)start, part->p_filesz);
	}
	return 1;
}

int main(int argc, char **argv)
{
	volatile uintptr_t *knob;
	Dl_info info;

	if (argc < 3 || strcmp(argv[1], "knob"))
		return 1;
	free(malloc(strtoul(argv[2], NULL, 0)));
	if (!dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info))
		return 2;
	found.base = (uintptr_t)info.dli_fbase;
	dl_iterate_phdr(look, NULL);
	dl_iterate_phdr(look, &found);
	knob = found.knob;
	if (!found.name || !knob)
		return 3;
	if (argc == 3)
		*knob = *knob;
	puts("survived");
	return 0;
}
