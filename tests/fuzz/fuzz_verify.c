/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for what decides whether a proof holds. Run by a developer or CI. Proofs of a
 * small tree, which the input may change in a bit, in length, in what they are of: exactly the
 * honest one holds. A signed checkpoint with a bit changed is not taken, and neither is a receipt
 * with one in it, unless nothing was changed.
 */
#include "../../launcher/evidence/proof.h"
#include "fuzz.h"

#define LEAVES 64u

static uint8_t nodes[7][LEAVES][SHA256_SIZE];

static int
read_node(void *arg, unsigned int level, uint64_t index, uint8_t ret_hash[SHA256_SIZE])
{
	(void)arg;
	require(level < 7 && index < LEAVES >> level, "a node that the tree has not");
	memcpy(ret_hash, nodes[level][index], SHA256_SIZE);
	return 0;
}

static void
make_tree(void)
{
	for (unsigned int i = 0; i < LEAVES; i++) {
		uint8_t entry = (uint8_t)i;

		merkle_leaf(&entry, 1, nodes[0][i]);
	}
	for (unsigned int level = 1; level < 7; level++) {
		for (unsigned int i = 0; i < LEAVES >> level; i++) {
			merkle_node(nodes[level - 1][2 * i], nodes[level - 1][2 * i + 1],
				    nodes[level][i]);
		}
	}
}

/* RFC 6962 2.1, as it is written there. */
static void
plain_root(uint64_t from, uint64_t size, uint8_t ret[SHA256_SIZE])
{
	uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
	uint64_t k = 1;

	if (size == 0) {
		sha256_of("", 0, ret);
		return;
	}
	if (size == 1) {
		memcpy(ret, nodes[0][from], SHA256_SIZE);
		return;
	}
	while (k * 2 < size) {
		k *= 2;
	}
	plain_root(from, k, left);
	plain_root(from + k, size - k, right);
	merkle_node(left, right, ret);
}

/* What the input does to a proof; false when it is left as it was. */
static bool
change(struct merkle_proof *p, const uint8_t edit[4])
{
	switch (edit[0] % 5) {
	case 0:
		return false;
	case 1: /* a bit */
		if (p->count == 0) {
			return false;
		}
		p->hash[edit[1] % p->count][edit[2] % SHA256_SIZE] ^= (uint8_t)(1u << edit[3] % 8);
		return true;
	case 2: /* one fewer */
		if (p->count == 0) {
			return false;
		}
		p->count--;
		return true;
	case 3: /* one more */
		memcpy(p->hash[p->count], nodes[0][edit[1] % LEAVES], SHA256_SIZE);
		p->count++;
		return true;
	default: /* two change places */
		if (p->count < 2 || memcmp(p->hash[0], p->hash[p->count - 1], SHA256_SIZE) == 0) {
			return false;
		}
		memcpy(p->hash[MERKLE_PROOF_MAX - 1], p->hash[0], SHA256_SIZE);
		memcpy(p->hash[0], p->hash[p->count - 1], SHA256_SIZE);
		memcpy(p->hash[p->count - 1], p->hash[MERKLE_PROOF_MAX - 1], SHA256_SIZE);
		return true;
	}
}

static void
try_inclusion(const uint8_t *in)
{
	uint64_t size = 1 + in[0] % LEAVES, index = in[1] % size, said = in[2] % (LEAVES + 2);
	uint8_t root[SHA256_SIZE], plain[SHA256_SIZE];
	struct merkle_proof p;
	bool changed, holds;

	require(merkle_root(read_node, NULL, size, root) == 0 &&
			merkle_prove_inclusion(read_node, NULL, index, size, &p) == 0,
		"no proof");
	plain_root(0, size, plain);
	require(memcmp(root, plain, sizeof(root)) == 0, "another root than the standard's");
	changed = change(&p, in + 3);
	holds = merkle_check_inclusion(&p, said, size, nodes[0][index], root) == 0;
	require(holds == (!changed && said == index),
		holds ? "a false proof holds" : "an honest proof does not hold");
}

static void
try_consistency(const uint8_t *in)
{
	uint64_t size = in[0] % (LEAVES + 1), old = in[1] % (size + 1), said = in[2] % (LEAVES + 2);
	uint8_t root[SHA256_SIZE], old_root[SHA256_SIZE];
	struct merkle_proof p;
	bool changed, holds;

	require(merkle_root(read_node, NULL, size, root) == 0 &&
			merkle_root(read_node, NULL, old, old_root) == 0 &&
			merkle_prove_consistency(read_node, NULL, old, size, &p) == 0,
		"no proof");
	changed = change(&p, in + 3);
	holds = merkle_check_consistency(&p, said, size, old_root, root) == 0;
	/* From another size than its own nothing but the root tells: of two trees it is another. */
	require(holds == (!changed && said == old),
		holds ? "a false proof holds" : "an honest proof does not hold");
}

/* ---- signed --------------------------------------------------------------------------------- */

static struct note_signer signer;
static struct buf receipt;

static void
make_receipt(void)
{
	const uint8_t index = 5;
	struct tlog_proof p = TLOG_PROOF_INIT;
	struct checkpoint c = { .size = LEAVES };
	auto_buf text = BUF_INIT;
	struct err err = ERR_INIT;

	require(note_signer_generate("fuzz.example.org/log", NOTE_ALGORITHM_ED25519, &signer,
				     &err) == 0,
		err.text);
	snprintf(c.origin, sizeof(c.origin), "fuzz.example.org/log");
	require(merkle_root(read_node, NULL, LEAVES, c.root) == 0 &&
			merkle_prove_inclusion(read_node, NULL, index, LEAVES, &p.inclusion) == 0,
		"no proof");
	p.index = index;
	buf_put(&p.extra, &index, 1);
	checkpoint_print(&c, &text);
	require(note_sign(&signer, buf_text(&text), text.len, &p.checkpoint, &err) == 0, err.text);
	tlog_proof_print(&p, &receipt);
	tlog_proof_finish(&p);
}

/* A bit of the receipt: it is another text, or the same proof of the same. */
static void
try_receipt(const uint8_t *in)
{
	auto_free char *text = malloc(receipt.len);
	auto_tlog_proof p = TLOG_PROOF_INIT;
	struct err err = ERR_INIT;
	struct checkpoint c;
	size_t at = (in[0] | (size_t)in[1] << 8) % receipt.len;
	bool is_same = in[2] == 0;

	require(text != NULL, "no memory");
	memcpy(text, receipt.data, receipt.len);
	text[at] = (char)(text[at] ^ in[2]);
	if (tlog_proof_parse(text, receipt.len, &p, &err) < 0) {
		require(!is_same, "an honest receipt is not read");
		return;
	}
	require((tlog_proof_check(&p, &signer.key, &c, &err) == 0) == is_same,
		is_same ? err.text : "a receipt that was changed holds");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;

	if (!made) {
		make_tree();
		make_receipt();
		made = true;
	}
	for (; size >= 8; data += 8, size -= 8) {
		switch (data[0] % 3) {
		case 0:
			try_inclusion(data + 1);
			break;
		case 1:
			try_consistency(data + 1);
			break;
		default:
			try_receipt(data + 1);
			break;
		}
	}
	return 0;
}
