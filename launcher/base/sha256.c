/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the front and in readers of the store, as the caller, over bytes of any origin. */
#include "sha256.h"

#include <stdatomic.h>
#include <string.h>

#include "sha256_internal.h"

#define BLOCK 64

/* clang-format off */
const uint32_t sha256_k[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
/* clang-format on */

/*
 * What is known about the CPU, once per process: it cannot change, every thread would find the
 * same, and asking costs tens of microseconds where CPUID traps. Below NI_NO: bytes hashed so far
 * without asking. The question pays once ASK_AT bytes have gone the slow way, in one update or in
 * many.
 */
#define NI_YES UINT32_MAX
#define NI_NO (UINT32_MAX - 1)
#define ASK_AT (16u << 10)

static bool
use_ni(size_t len)
{
	static _Atomic uint32_t cpu;
	uint32_t known = atomic_load_explicit(&cpu, memory_order_relaxed);

	if (known < NI_NO) {
		if (len < ASK_AT && known + len < ASK_AT) {
			/* Two threads may lose a count here; it only puts the question off. */
			atomic_store_explicit(&cpu, known + (uint32_t)len, memory_order_relaxed);
			return false;
		}
		known = sha256_ni_usable() ? NI_YES : NI_NO;
		atomic_store_explicit(&cpu, known, memory_order_relaxed);
	}
	return known == NI_YES;
}

static uint32_t
load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
store_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t
ror(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

/* FIPS 180-4 §6.2.2, with the letters of the standard. */
static void
portable_block(uint32_t state[8], const uint8_t *p)
{
	uint32_t w[64];
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

	for (unsigned int t = 0; t < 16; t++) {
		w[t] = load_be32(p + 4 * (size_t)t);
	}
	for (unsigned int t = 16; t < 64; t++) {
		uint32_t s0 = ror(w[t - 15], 7) ^ ror(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t s1 = ror(w[t - 2], 17) ^ ror(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = s1 + w[t - 7] + s0 + w[t - 16];
	}
	for (unsigned int t = 0; t < 64; t++) {
		uint32_t t1 = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) +
			      sha256_k[t] + w[t];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

		h = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

static void
hash_blocks(struct sha256 *s, const uint8_t *p, size_t blocks)
{
	if (blocks == 0) {
		return;
	}
	if (use_ni(blocks * BLOCK)) {
		sha256_ni_blocks(s->state, p, blocks);
		return;
	}
	for (; blocks > 0; blocks--, p += BLOCK) {
		portable_block(s->state, p);
	}
}

void
sha256_init(struct sha256 *s)
{
	*s = (struct sha256){
		.state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
			   0x1f83d9ab, 0x5be0cd19 },
	};
}

void
sha256_update(struct sha256 *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t held = s->total % BLOCK;

	s->total += len;
	if (held > 0) {
		size_t room = BLOCK - held;
		size_t n = len < room ? len : room;

		if (n > 0) {
			memcpy(s->block + held, p, n);
			p += n;
			len -= n;
		}
		if (n < room) {
			return;
		}
		hash_blocks(s, s->block, 1);
	}
	hash_blocks(s, p, len / BLOCK);
	if (len % BLOCK > 0) {
		memcpy(s->block, p + len / BLOCK * BLOCK, len % BLOCK);
	}
}

void
sha256_update_two(struct sha256 *a, struct sha256 *b, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t whole = len / BLOCK * BLOCK;

	if (whole > 0 && a->total % BLOCK == 0 && b->total % BLOCK == 0 && use_ni(whole)) {
		sha256_ni_blocks_two(a->state, b->state, p, whole / BLOCK);
		a->total += whole;
		b->total += whole;
		p += whole;
		len -= whole;
	}
	sha256_update(a, p, len);
	sha256_update(b, p, len);
}

void
sha256_final(struct sha256 *s, uint8_t ret_digest[SHA256_SIZE])
{
	static const uint8_t padding[BLOCK] = { 0x80 };
	uint64_t bits = s->total * 8;
	uint8_t tail[8];

	store_be32(tail, (uint32_t)(bits >> 32));
	store_be32(tail + 4, (uint32_t)bits);
	/* 0x80, then zeros until 8 bytes are left in a block: 1 to 64 bytes in all. */
	sha256_update(s, padding, BLOCK - (s->total + 8) % BLOCK);
	sha256_update(s, tail, sizeof(tail));
	for (unsigned int i = 0; i < 8; i++) {
		store_be32(ret_digest + 4 * (size_t)i, s->state[i]);
	}
}

void
sha256_of(const void *data, size_t len, uint8_t ret_digest[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, len);
	sha256_final(&s, ret_digest);
}
