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

	EXPECT(folder && readdir(folder));
	closedir(folder);
	EXPECT(file);
	fputs("written and read\n", file);
	rewind(file);
	EXPECT(fgets(line, sizeof(line), file));
	EXPECT(!strcmp(line, "written and read\n"));
	fclose(file);
	puts("done");
	return 0;
}
