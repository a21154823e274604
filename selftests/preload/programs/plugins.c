// SPDX-License-Identifier: MIT
/*
 * Loads and unloads the library named by the argument, hands memory to and fro.
 */
#include "program.h"

static void use_plugin(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	char *(*new)(size_t size);
	void (*delete)(char *p);
	char *p, *q;

	if (!library)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(library);
	*(void **)&new = dlsym(library, "plugin_new");
	*(void **)&delete = dlsym(library, "plugin_delete");
	CHECK(new && delete);
	p = new(2000);
	q = malloc(2000);
	CHECK(p && q && !p[0] && !p[1999]);
	free(p);
	delete(q);
	CHECK(!dlclose(library));
}

int main(int argc, char **argv)
{
	int i;

	need_hakmem();
	CHECK(argc == 2);
	for (i = 0; i < 300; i++)
		use_plugin(argv[1]);
	return finish();
}
