// SPDX-License-Identifier: MIT
/*
 * Names no allocation function: only what it takes from libc allocates, so
 * nothing here pulls the library out of an archive
 */
#include <dirent.h>
#include <string.h>

#include "expect.h"

int main(void)
{
	char line[32] = "";
	DIR *folder = opendir("/");
	FILE *file = tmpfile();

	CHECK(folder && readdir(folder));
	closedir(folder);
	CHECK(file);
	fputs("written and read\n", file);
	rewind(file);
	CHECK(fgets(line, sizeof(line), file));
	CHECK(!strcmp(line, "written and read\n"));
	fclose(file);
	puts("done");
	return 0;
}
