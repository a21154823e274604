/* SPDX-License-Identifier: MIT */
#ifndef SELFTESTS_STATIC_EXPECT_H
#define SELFTESTS_STATIC_EXPECT_H

#include "../harness/check_program.h"

/* Forks again and again while threads that allocate come and go */
#ifdef __cplusplus
extern "C"
#endif
void use_threads_and_fork(void);

#endif
