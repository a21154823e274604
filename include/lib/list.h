/* SPDX-License-Identifier: MIT */
/*
 * Circular doubly linked list with the head as its own element.
 *
 * No function here locks: the owner of the head says which lock guards it.
 */
#ifndef HAKMEM_LIB_LIST_H
#define HAKMEM_LIB_LIST_H

#include <stdbool.h>

#include "lib/compiler.h"

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }

static inline void list_init(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_insert(struct list_head *node, struct list_head *prev,
			       struct list_head *next)
{
	next->prev = node;
	node->next = next;
	node->prev = prev;
	prev->next = node;
}

static inline void list_add(struct list_head *node, struct list_head *head)
{
	list_insert(node, head, head->next);
}

static inline void list_add_tail(struct list_head *node,
				 struct list_head *head)
{
	list_insert(node, head->prev, head);
}

/* Leaves @node pointing at itself, so that removing it twice is harmless. */
static inline void list_del(struct list_head *node)
{
	node->next->prev = node->prev;
	node->prev->next = node->next;
	list_init(node);
}

#define list_first_entry(head, type, member) \
	container_of((head)->next, type, member)

#define list_last_entry(head, type, member) \
	container_of((head)->prev, type, member)

#define list_for_each(pos, head) \
	for (pos = (head)->next; pos != (head); pos = pos->next)

#endif /* HAKMEM_LIB_LIST_H */
