// SPDX-License-Identifier: MIT
/*
 * trees - search trees of little nodes, where it shows how near they lie
 *
 * A treap holds NODES nodes, each with a name in a block of its own. In each of
 * ROUNDS rounds a sixteenth of its keys is replaced and the whole tree walked
 * in order, reading the names. Between these, a short-lived tree of 2^DEPTH
 * nodes is built, walked and torn down. A node inserted or removed is an
 * operation.
 */
#include "bench.h"

struct node {
	struct node *left;
	struct node *right;
	uint64_t key;
	char *name;
};

enum { ROUNDS, NODES, DEPTH };

static struct argument arguments[] = {
	[ROUNDS] = NUMBER("ROUNDS", 16, 1, UINT32_MAX),
	[NODES] = NUMBER("NODES", 200000, 16, UINT32_MAX),
	[DEPTH] = NUMBER("DEPTH", 16, 0, 30),
};

/* Of keys that are unlike enough; heap order keeps the treap shallow */
static uint64_t priority(const struct node *node)
{
	return node->key * UINT64_C(0x9e3779b97f4a7c15) ^ node->key >> 29;
}

static struct node *create_node(uint64_t key)
{
	struct node *node = malloc(sizeof(*node));

	if (!node)
		die("malloc", ENOMEM);
	*node = (struct node){ .key = key };
	node->name = allocate(16 + key % 48);
	return node;
}

static void free_node(struct node *node)
{
	free(node->name);
	free(node);
}

/* Divide @tree into what is below @key and what is not. */
static void split(struct node *tree, uint64_t key, struct node **below,
		  struct node **above)
{
	while (tree) {
		if (tree->key < key) {
			*below = tree;
			below = &tree->right;
			tree = tree->right;
		} else {
			*above = tree;
			above = &tree->left;
			tree = tree->left;
		}
	}
	*below = NULL;
	*above = NULL;
}

static struct node *merge(struct node *below, struct node *above)
{
	struct node *root;
	struct node **link = &root;

	while (below && above) {
		if (priority(below) > priority(above)) {
			*link = below;
			link = &below->right;
			below = below->right;
		} else {
			*link = above;
			link = &above->left;
			above = above->left;
		}
	}
	*link = below ? below : above;
	return root;
}

static void insert(struct node **link, uint64_t key)
{
	struct node *node = create_node(key);

	while (*link && priority(*link) > priority(node))
		link = (*link)->key < key ? &(*link)->right : &(*link)->left;
	split(*link, key, &node->left, &node->right);
	*link = node;
}

static void remove_key(struct node **link, uint64_t key)
{
	struct node *node;

	while (*link && (*link)->key != key)
		link = (*link)->key < key ? &(*link)->right : &(*link)->left;
	node = *link;
	if (!node)
		die("a key is lost", EFAULT);
	*link = merge(node->left, node->right);
	free_node(node);
}

static uint64_t walk(const struct node *tree)
{
	uint64_t sum = 0;

	for (; tree; tree = tree->right)
		sum += walk(tree->left) + (unsigned char)tree->name[0];
	return sum;
}

static struct node *grow(unsigned int depth)
{
	struct node *node = create_node(depth);

	if (depth) {
		node->left = grow(depth - 1);
		node->right = grow(depth - 1);
	}
	return node;
}

static void fell(struct node *tree)
{
	while (tree) {
		struct node *right = tree->right;

		fell(tree->left);
		free_node(tree);
		tree = right;
	}
}

static void run_short_lived(void)
{
	struct node *tree = grow(arguments[DEPTH].value);

	if (walk(tree) != 'a' * ((UINT64_C(2) << arguments[DEPTH].value) - 1))
		die("a short-lived tree lost a node", EFAULT);
	fell(tree);
}

static uint64_t run(void)
{
	uint64_t nr_nodes = arguments[NODES].value;
	uint64_t oldest = first_random(1, 0), youngest = oldest;
	uint64_t operations = 0;
	struct node *tree = NULL;

	for (uint64_t i = 0; i < nr_nodes; i++)
		insert(&tree, next_random(&youngest));
	for (uint64_t i = 0; i < arguments[ROUNDS].value; i++) {
		for (uint64_t j = 0; j < nr_nodes / 16; j++) {
			remove_key(&tree, next_random(&oldest));
			insert(&tree, next_random(&youngest));
		}
		run_short_lived();
		if (walk(tree) != 'a' * nr_nodes)
			die("the tree lost a node", EFAULT);
		operations += nr_nodes / 16 +
			      (UINT64_C(2) << arguments[DEPTH].value);
	}
	fell(tree);
	return 2 * (operations + nr_nodes);
}

int main(int argc, char **argv)
{
	uint64_t operations;
	double began;

	read_arguments(argc, argv, arguments, ARRAY_SIZE(arguments));
	began = now();
	operations = run();
	print_throughput(operations, now() - began);
	return EXIT_SUCCESS;
}
