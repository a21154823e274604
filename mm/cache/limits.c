// SPDX-License-Identifier: MIT
/*
 * How much of each class is kept at hand, before anything is known of it.
 */
#include "mm/cache.h"
#include "mm/knobs.h"

#define SINGLE_KEEP	((size_t)CONFIG_HAKMEM_MAGAZINE_SINGLE_KB << 10)
#define REFILL_KEEP	((size_t)CONFIG_HAKMEM_REFILL_KB << 10)
#define DEPOT_KEEP	((size_t)CONFIG_HAKMEM_DEPOT_KB << 10)
#define REFILL_MIN	((size_t)4)

/* More of them would be much memory that only their own class can use. */
#define DEPOT_PAGED	((size_t)2)

#define DIET_MAGAZINE	((size_t)8)
#define DIET_DEPOT_KEEP	((size_t)16 << 10)

struct class_limits class_limits[NR_CLASSES];

struct class_limits class_limits_default(unsigned int class)
{
	size_t size = class_size(class);
	size_t magazine = min(MAGAZINE_KEEP / size,
			      (size_t)CONFIG_HAKMEM_MAGAZINE_SIZE);
	size_t refill = max(REFILL_KEEP / size, REFILL_MIN);
	size_t depot = DEPOT_KEEP;

	if (size <= SINGLE_KEEP)
		magazine = max(magazine, (size_t)1);
	if (class_is_paged(class))
		depot = min(depot, DEPOT_PAGED * size);
	if (class_on_diet(class)) {
		magazine = min(magazine, DIET_MAGAZINE);
		depot = min(depot, DIET_DEPOT_KEEP);
	}
	return (struct class_limits){
		.magazine = (unsigned int)magazine,
		.refill = (unsigned int)min(refill, magazine),
		.depot = (unsigned int)(depot / size),
	};
}

void class_limits_init(void)
{
	unsigned int class;

	for (class = 1; class < NR_CLASSES; class++)
		class_limits[class] = class_limits_default(class);
}
