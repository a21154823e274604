/* SPDX-License-Identifier: MIT */
/*
 * Which locks are taken under which others; builds with
 * CONFIG_HAKMEM_LOCK_RANKS look at it whenever one is taken.
 */
#ifndef HAKMEM_MM_LOCK_ORDER_H
#define HAKMEM_MM_LOCK_ORDER_H

/**
 * enum lock_rank - a lock is taken only under those of a higher rank
 * @LOCK_RANK_LEAF: all that are not named here; no memory call is made under it
 * @LOCK_RANK_POOL: slab_pool.c, nor under this one
 * @LOCK_RANK_KFENCE: kfence/core.c, which opens its pool under it
 * @LOCK_RANK_GROW: superslab.c, while a superslab is mapped
 * @LOCK_RANK_FETCH: slab_pool.c, while a pool without objects fetches a slab
 * @LOCK_RANK_VERIFY: cache/verify.c, around its memory
 * @LOCK_RANK_TUNER: ace/tuner.c
 * @LOCK_RANK_INIT: init.c, around the start
 */
enum lock_rank {
	LOCK_RANK_LEAF,
	LOCK_RANK_POOL,
	LOCK_RANK_KFENCE,
	LOCK_RANK_GROW,
	LOCK_RANK_FETCH,
	LOCK_RANK_VERIFY,
	LOCK_RANK_TUNER,
	LOCK_RANK_INIT,
};

#endif /* HAKMEM_MM_LOCK_ORDER_H */
