/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Roots and proofs of the trees of RFC 6962's reference implementation
 * (its eight inputs), and every proof of every tree up to 70 leaves against every other.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/evidence/merkle.h"

#define LEAVES 70

struct world {
	uint8_t leaf[LEAVES][SHA256_SIZE];
	uint64_t size;
	int fails;
};

static int
read_hash(void *arg, unsigned int level, uint64_t index, uint8_t ret_hash[SHA256_SIZE])
{
	struct world *w = arg;
	uint8_t left[SHA256_SIZE], right[SHA256_SIZE];

	if (w->fails != 0) {
		return w->fails;
	}
	cr_assert_leq((index + 1) << level, w->size, "level %u index %lu", level, index);
	if (level == 0) {
		memcpy(ret_hash, w->leaf[index], SHA256_SIZE);
		return 0;
	}
	cr_assert_eq(read_hash(w, level - 1, 2 * index, left), 0);
	cr_assert_eq(read_hash(w, level - 1, 2 * index + 1, right), 0);
	merkle_node(left, right, ret_hash);
	return 0;
}

/* clang-format off */
static const struct { const char *bytes; size_t len; const char *root; } reference[] = {
	{ "", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	{ "\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
	{ "\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
	{ "\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
	{ "\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
	{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
	{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
	  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

#define A "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define B "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define C "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
#define D "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define E "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define F "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define G "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define H "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define I "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"

static const struct { bool is_inclusion; uint64_t first, size; size_t count; const char *hash[4]; } proofs[] = {
	{ true, 0, 1, 0, { NULL } },
	{ true, 0, 8, 3, { A, B, C } },
	{ true, 5, 8, 3, { D, E, F } },
	{ true, 2, 3, 1, { G } },
	{ true, 1, 5, 3, { H, B, D } },
	{ false, 1, 1, 0, { NULL } },
	{ false, 0, 8, 0, { NULL } },
	{ false, 1, 8, 3, { A, B, C } },
	{ false, 6, 8, 3, { I, E, F } },
	{ false, 2, 5, 2, { B, D } },
};
/* clang-format on */

static struct world
reference_world(void)
{
	struct world w = { .size = ARRAY_LEN(reference) };

	for (size_t i = 0; i < ARRAY_LEN(reference); i++) {
		merkle_leaf(reference[i].bytes, reference[i].len, w.leaf[i]);
	}
	return w;
}

static struct world
counted_world(void)
{
	struct world w = { .size = LEAVES };

	for (size_t i = 0; i < LEAVES; i++) {
		merkle_leaf(&i, sizeof(i), w.leaf[i]);
	}
	return w;
}

Test(merkle, roots_of_the_reference)
{
	struct world w = reference_world();
	uint8_t root[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(reference); i++) {
		cr_assert_eq(merkle_root(read_hash, &w, i + 1, root), 0);
		text_hex(root, sizeof(root), hex);
		cr_expect_str_eq(hex, reference[i].root, "size %zu", i + 1);
	}
	cr_assert_eq(merkle_root(read_hash, &w, 0, root), 0);
	text_hex(root, sizeof(root), hex);
	cr_expect_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(merkle, proofs_of_the_reference)
{
	struct world w = reference_world();

	for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
		struct merkle_proof p = { .count = 99 };
		char hex[HEX_DIGEST_SIZE];

		cr_assert_eq(proofs[i].is_inclusion
				     ? merkle_prove_inclusion(read_hash, &w, proofs[i].first,
							      proofs[i].size, &p)
				     : merkle_prove_consistency(read_hash, &w, proofs[i].first,
								proofs[i].size, &p),
			     0);
		cr_assert_eq(p.count, proofs[i].count, "row %zu", i);
		for (size_t k = 0; k < p.count; k++) {
			text_hex(p.hash[k], SHA256_SIZE, hex);
			cr_expect_str_eq(hex, proofs[i].hash[k], "row %zu hash %zu", i, k);
		}
	}
}

/* What was changed, where it has an effect, must not pass. */
static void
expect_no_other_inclusion(const struct merkle_proof *good, uint64_t index, uint64_t size,
			  const uint8_t leaf[SHA256_SIZE], const uint8_t root[SHA256_SIZE])
{
	struct merkle_proof p = *good;
	uint8_t other[SHA256_SIZE];

	for (uint64_t i = 0; i < size; i++) {
		if (i != index) {
			cr_expect_eq(merkle_check_inclusion(good, i, size, leaf, root), -EBADMSG);
		}
	}
	memcpy(other, leaf, sizeof(other));
	other[31] ^= 1;
	cr_expect_eq(merkle_check_inclusion(good, index, size, other, root), -EBADMSG);
	for (size_t k = 0; k < p.count; k++) {
		p.hash[k][7] ^= 0x80;
		cr_expect_eq(merkle_check_inclusion(&p, index, size, leaf, root), -EBADMSG);
		p.hash[k][7] ^= 0x80;
	}
	p.count++;
	memcpy(p.hash[good->count], root, SHA256_SIZE);
	cr_expect_eq(merkle_check_inclusion(&p, index, size, leaf, root), -EBADMSG);
	if (good->count > 0) {
		p.count = good->count - 1;
		cr_expect_eq(merkle_check_inclusion(&p, index, size, leaf, root), -EBADMSG);
	}
}

Test(merkle, every_inclusion_and_nothing_else)
{
	struct world w = counted_world();
	uint8_t root[SHA256_SIZE];

	for (uint64_t size = 1; size <= LEAVES; size++) {
		cr_assert_eq(merkle_root(read_hash, &w, size, root), 0);
		for (uint64_t i = 0; i < size; i++) {
			struct merkle_proof p;

			cr_assert_eq(merkle_prove_inclusion(read_hash, &w, i, size, &p), 0);
			cr_assert_eq(merkle_check_inclusion(&p, i, size, w.leaf[i], root), 0,
				     "%lu of %lu", i, size);
			expect_no_other_inclusion(&p, i, size, w.leaf[i], root);
		}
	}
}

static void
expect_no_other_consistency(const struct merkle_proof *good, uint64_t old_size, uint64_t size,
			    const uint8_t old_root[SHA256_SIZE], const uint8_t root[SHA256_SIZE])
{
	struct merkle_proof p = *good;
	uint8_t other[SHA256_SIZE];

	memcpy(other, old_root, sizeof(other));
	other[0] ^= 1;
	cr_expect_eq(merkle_check_consistency(good, old_size, size, other, root), -EBADMSG);
	memcpy(other, root, sizeof(other));
	other[0] ^= 1;
	/* From nothing there is no proof: any tree follows. */
	cr_expect_eq(merkle_check_consistency(good, old_size, size, old_root, other),
		     old_size == 0 ? 0 : -EBADMSG);
	for (size_t k = 0; k < p.count; k++) {
		p.hash[k][31] ^= 1;
		cr_expect_eq(merkle_check_consistency(&p, old_size, size, old_root, root),
			     -EBADMSG);
		p.hash[k][31] ^= 1;
	}
	p.count++;
	memcpy(p.hash[good->count], root, SHA256_SIZE);
	cr_expect_eq(merkle_check_consistency(&p, old_size, size, old_root, root), -EBADMSG);
	if (good->count > 0) {
		p.count = good->count - 1;
		cr_expect_eq(merkle_check_consistency(&p, old_size, size, old_root, root),
			     -EBADMSG);
	}
}

Test(merkle, every_consistency_and_nothing_else)
{
	struct world w = counted_world();
	uint8_t old_root[SHA256_SIZE], root[SHA256_SIZE];

	for (uint64_t size = 0; size <= LEAVES; size++) {
		cr_assert_eq(merkle_root(read_hash, &w, size, root), 0);
		for (uint64_t old = 0; old <= size; old++) {
			struct merkle_proof p;

			cr_assert_eq(merkle_root(read_hash, &w, old, old_root), 0);
			cr_assert_eq(merkle_prove_consistency(read_hash, &w, old, size, &p), 0);
			cr_assert_eq(merkle_check_consistency(&p, old, size, old_root, root), 0,
				     "%lu to %lu", old, size);
			if (size > 0) {
				expect_no_other_consistency(&p, old, size, old_root, root);
			}
		}
	}
}

Test(merkle, refuses_what_has_no_proof)
{
	struct world w = counted_world();
	struct merkle_proof p = { .count = 0 };
	uint8_t root[SHA256_SIZE] = { 0 };

	cr_expect_eq(merkle_prove_inclusion(read_hash, &w, 7, 7, &p), -EINVAL);
	cr_expect_eq(merkle_prove_inclusion(read_hash, &w, 0, MERKLE_SIZE_MAX + 1, &p), -EINVAL);
	cr_expect_eq(merkle_prove_consistency(read_hash, &w, 8, 7, &p), -EINVAL);
	cr_expect_eq(merkle_prove_consistency(read_hash, &w, 8, MERKLE_SIZE_MAX + 1, &p), -EINVAL);
	cr_expect_eq(merkle_root(read_hash, &w, MERKLE_SIZE_MAX + 1, root), -EINVAL);
	cr_expect_eq(merkle_check_inclusion(&p, 0, 0, root, root), -EBADMSG);
	cr_expect_eq(merkle_check_inclusion(&p, 0, UINT64_MAX, root, root), -EBADMSG);
	cr_expect_eq(merkle_check_consistency(&p, 2, 1, root, root), -EBADMSG);
	cr_expect_eq(merkle_check_consistency(&p, 1, UINT64_MAX, root, root), -EBADMSG);
	cr_expect_eq(merkle_check_consistency(&p, 0, 1, root, root), -EBADMSG);
	p.count = MERKLE_PROOF_MAX + 1;
	cr_expect_eq(merkle_check_inclusion(&p, 0, 2, root, root), -EBADMSG);
	cr_expect_eq(merkle_check_consistency(&p, 1, 2, root, root), -EBADMSG);
}

Test(merkle, hands_on_what_the_reader_says)
{
	struct world w = counted_world();
	struct merkle_proof p = { .count = 4711 };
	uint8_t root[SHA256_SIZE];

	w.fails = -EIO;
	cr_expect_eq(merkle_root(read_hash, &w, 5, root), -EIO);
	cr_expect_eq(merkle_prove_inclusion(read_hash, &w, 1, 5, &p), -EIO);
	cr_expect_eq(merkle_prove_consistency(read_hash, &w, 3, 5, &p), -EIO);
	cr_expect_eq(p.count, 4711);
}

/* Any hash will do for counting; the longest proof of the greatest tree has its room. */
static int
read_zero(void *arg, unsigned int level, uint64_t index, uint8_t ret_hash[SHA256_SIZE])
{
	(void)arg;
	(void)level;
	(void)index;
	memset(ret_hash, 0, SHA256_SIZE);
	return 0;
}

Test(merkle, the_longest_proof_has_room)
{
	struct merkle_proof p;

	cr_assert_eq(
		merkle_prove_consistency(read_zero, NULL, MERKLE_SIZE_MAX - 1, MERKLE_SIZE_MAX, &p),
		0);
	cr_expect_eq(p.count, 63);
	cr_assert_eq(merkle_prove_inclusion(read_zero, NULL, 0, MERKLE_SIZE_MAX, &p), 0);
	cr_expect_eq(p.count, 62);
}
