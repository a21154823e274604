/* SPDX-License-Identifier: MIT */
/*
 * Whether a sanitizer keeps the books of memory in this build.
 */
#ifndef SELFTESTS_SANITIZER_H
#define SELFTESTS_SANITIZER_H

#ifndef __has_feature
#define __has_feature(feature)	0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||	\
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KUNIT_SANITIZER	1
#else
#define KUNIT_SANITIZER	0
#endif

#endif /* SELFTESTS_SANITIZER_H */
