// SPDX-License-Identifier: MIT
/*
 * What is in the files that are installed: of a fallback to libc's malloc
 * nothing, unless it was chosen; then this finds it, so it would have.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "kunit.h"
#include "path.h"
#include "report.h"

static const char *const products[] = {
	"libhakmem.so", "libhakmem.a", "hakmem.o", "libhakmem-prefixed.a",
};

static void describe_product(const void *param, char *text, size_t size)
{
	snprintf(text, size, "%s", *(const char *const *)param);
}

/*
 * Prints how many symbols and strings of the file $0 are of a fallback, and
 * how many look for other libraries' functions. Debug information names the
 * headers, stubs and all, and is in no process; the configuration, which is in
 * there as text, names what was not chosen.
 */
static const char look[] =
	"PATH=$PATH:/usr/sbin:/sbin\n"
	"nm=${NM:-nm} objcopy=${OBJCOPY:-objcopy}\n"
	"for tool in $nm strings $objcopy; do\n"
	"	command -v $tool >/dev/null || exit 4\n"
	"done\n"
	"plain=$(mktemp) && trap 'rm -f \"$plain\"' EXIT &&\n"
	"$objcopy --strip-debug \"$0\" \"$plain\" &&\n"
	"symbols=$($nm \"$plain\") && strings=$(strings -a \"$plain\") &&\n"
	"test -n \"$symbols\" && test -n \"$strings\" || exit 1\n"
	"printf '%s\\n' \"$symbols\" | grep -ci fallback\n"
	"printf '%s\\n' \"$strings\" | grep -v CONFIG_ |\n"
	"	grep -ciE \"fallback|libc's\"\n"
	"printf '%s\\n' \"$symbols\" | grep -cw dlsym\n"
	"exit 0\n";

struct found {
	int symbols;
	int strings;
	int dlsym;
};

static void look_into(struct kunit *test, const char *product,
		      struct found *found)
{
	char name[64], file[PATH_MAX];
	const char *const argv[] = { "sh", "-c", look, file, NULL };
	struct report report;

	snprintf(name, sizeof(name), "../../%s", product);
	path_beside_runner(file, sizeof(file), name);
	report_exec(&report, NULL, argv);
	if (WIFEXITED(report.status) && WEXITSTATUS(report.status) == 4)
		kunit_skip(test, "nm, strings or objcopy is not installed");
	KUNIT_ASSERT_MSG(test, report.status == 0, "%s",
			 report_describe(&report));
	KUNIT_ASSERT_EQ(test, sscanf(report.output, "%d %d %d",
				     &found->symbols, &found->strings,
				     &found->dlsym), 3);
}

static void fallback_is_only_where_chosen(struct kunit *test)
{
	const char *product = *(const char *const *)test->param_value;
	bool chosen = IS_ENABLED(CONFIG_HAKMEM_MALLOC_FALLBACK);
	struct found found;

	look_into(test, product, &found);
	KUNIT_EXPECT_MSG(test, chosen == (found.symbols > 0), "%d symbols",
			 found.symbols);
	KUNIT_EXPECT_MSG(test, chosen == (found.strings > 0), "%d strings",
			 found.strings);
	/* The shared library's operators look for C++'s, too. */
	if (strstr(product, ".so") && IS_ENABLED(CONFIG_HAKMEM_CXX))
		chosen = true;
	/* Who else has a malloc is asked only over a foreign pointer. */
	chosen |= IS_ENABLED(CONFIG_HAKMEM_FOREIGN);
	KUNIT_EXPECT_MSG(test, chosen == (found.dlsym > 0), "%d times dlsym",
			 found.dlsym);
}

static const struct kunit_case products_cases[] = {
	KUNIT_CASE_PARAM(fallback_is_only_where_chosen, products,
			 describe_product),
	{}
};

static const struct kunit_suite products_suite = {
	.name = "products",
	.test_cases = products_cases,
};
kunit_test_suite(products_suite);
