// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debian's static libelf (elfutils 0.192) refers to two functions that are in no archive. They make and free the tree of chunks that
 * elf_getdata_rawchunk() keeps, which libbpf does not call. Weak: an archive that has them wins.
 */
void eu_search_tree_init(void *tree);
void eu_search_tree_fini(void *tree, void (*free_node)(void *));

__attribute__((weak)) void eu_search_tree_init(void *tree)
{
	(void)tree;
}

__attribute__((weak)) void eu_search_tree_fini(void *tree, void (*free_node)(void *))
{
	(void)tree;
	(void)free_node;
}
