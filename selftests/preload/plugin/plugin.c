// SPDX-License-Identifier: MIT
/*
 * A library to dlopen: allocates when loaded, when used and when unloaded.
 */
#include <stdlib.h>
#include <string.h>

char *plugin_new(size_t size);
void plugin_delete(char *p);

static char *loaded;
static __thread char *per_thread;

static __attribute__((constructor)) void load(void)
{
	loaded = malloc(1000);
	if (!loaded)
		abort();
	memset(loaded, 'x', 1000);
}

static __attribute__((destructor)) void unload(void)
{
	free(loaded);
	free(malloc(5000));
}

char *plugin_new(size_t size)
{
	free(per_thread);
	per_thread = malloc(10);
	return calloc(1, size);
}

void plugin_delete(char *p)
{
	free(p);
	free(per_thread);
	per_thread = NULL;
}
