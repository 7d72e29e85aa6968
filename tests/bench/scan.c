/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the output scan costs. The relay gets an output from one process and passes it on to
 * another, hashed, and kept or not, once with values to look for and once without. Ratios are taken
 * within a round, of the processor's time of the relay alone: what the others do beside it is not
 * counted. Run by a developer.
 *
 *         scan DIR ROUNDS MIB
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/base/err.h"
#include "../../launcher/supervise/relay.h"
#include "bench.h"

#define ROUNDS_MAX 100u
#define BLOCK (1u << 20)

static FILE *report;
static uint8_t block[BLOCK];

static void
check(bool holds, const char *what)
{
	if (!holds) {
		fprintf(report, "bench: %s: %m\n", what);
		_exit(1);
	}
}

enum content { ZEROS, RANDOM, TEXT, BASE64, CONTENT__COUNT };

static const char *const content_name[CONTENT__COUNT] = {
	[ZEROS] = "zeros",
	[RANDOM] = "random bytes",
	[TEXT] = "numbers in lines",
	[BASE64] = "base64",
};

static void
make_block(enum content content)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < BLOCK; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		switch (content) {
		case ZEROS:
			block[i] = 0;
			break;
		case RANDOM:
			block[i] = (uint8_t)(x >> 32);
			break;
		case TEXT:
			block[i] = (uint8_t)(i % 72 == 71 ? '\n' : i % 8 == 7 ? ' ' : '0' + x % 10);
			break;
		case BASE64:
		case CONTENT__COUNT:
			block[i] = (uint8_t)(i % 77 == 76 ? '\n' : digits[x >> 32 & 63]);
			break;
		}
	}
}

/* Reads to the end, or writes so many blocks. */
static pid_t
start_peer(int fd, unsigned int blocks, const int close_fds[2])
{
	static uint8_t got[1u << 16];
	pid_t child = fork();

	check(child >= 0, "fork");
	if (child > 0) {
		return child;
	}
	close(close_fds[0]);
	close(close_fds[1]);
	while (blocks == 0 && read(fd, got, sizeof(got)) > 0) {
	}
	for (; blocks > 0; blocks--) {
		for (size_t at = 0; at < BLOCK;) {
			ssize_t n = write(fd, block + at, BLOCK - at);

			if (n <= 0) {
				_exit(1);
			}
			at += (size_t)n;
		}
	}
	_exit(0);
}

static double
used_ms(void)
{
	struct rusage u;

	check(getrusage(RUSAGE_SELF, &u) == 0, "getrusage");
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static double
relay_ms(int dir_fd, const struct scanner *scanner, bool kept, unsigned int blocks)
{
	const struct relay_options options = { .scanner = scanner,
					       .output_limit = UINT64_MAX,
					       .keep = { 0, kept ? UINT64_MAX : 0, 0 } };
	struct relay relay = RELAY_INIT;
	struct err err = ERR_INIT;
	int ends[2], tool[RELAY__COUNT], status;
	pid_t reader, writer;
	double before;

	check(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[1], 1) == 1, "pipe");
	close(ends[1]);
	reader = start_peer(ends[0], 0, (const int[]){ 1, -1 });
	close(ends[0]);
	before = used_ms();
	check(relay_init(&relay, dir_fd, &options, tool, &err) == 0, err.text);
	writer = start_peer(tool[1], blocks, (const int[]){ relay.tool_fd[1], 1 });
	close(tool[0]);
	close(tool[1]);
	close(tool[2]);
	for (;;) {
		struct pollfd pfds[RELAY_POLL_MAX];
		unsigned int count = relay_poll_set(&relay, pfds);

		if (count == 0) {
			break;
		}
		check(poll(pfds, count, -1) > 0, "poll");
		check(relay_poll_done(&relay, pfds, count, &err) == 0, err.text);
	}
	before = used_ms() - before;
	check(relay.spool[RELAY_STDOUT].total_bytes == (uint64_t)blocks * BLOCK, "not all came");
	relay_finish(&relay);
	close(1);
	check(waitpid(writer, &status, 0) == writer && status == 0, "writer");
	check(waitpid(reader, &status, 0) == reader && status == 0, "reader");
	return before;
}

static void
compare(int dir_fd, const struct scanner *scanner, const char *what, bool kept, unsigned int blocks,
	unsigned int rounds)
{
	for (enum content content = 0; content < CONTENT__COUNT; content++) {
		double with[ROUNDS_MAX], without[ROUNDS_MAX], ratio[ROUNDS_MAX];

		make_block(content);
		for (unsigned int i = 0; i < rounds; i++) {
			/* each is first as often: the one before leaves pages to be freed */
			if (i % 2 == 0) {
				without[i] = relay_ms(dir_fd, NULL, kept, blocks);
			}
			with[i] = relay_ms(dir_fd, scanner, kept, blocks);
			if (i % 2 == 1) {
				without[i] = relay_ms(dir_fd, NULL, kept, blocks);
			}
			ratio[i] = with[i] / without[i];
		}
		fprintf(report, "%s, %s, %s: %.0f ms, without %.0f ms; ratio %.3f\n", what,
			kept ? "kept" : "hashed only", content_name[content],
			bench_median(with, rounds), bench_median(without, rounds),
			bench_median(ratio, rounds));
		fflush(report);
	}
}

static const struct {
	const char *what;
	unsigned int count;
	const char *values[5];
} leases[] = {
	{ "a token", 1, { "ghp_R0bY9zK2mN4pQ7sT1vW3xA5cE8gH6jL0dF2" } },
	{ "five values",
	  5,
	  { "ghp_R0bY9zK2mN4pQ7sT1vW3xA5cE8gH6jL0dF2", "AKIAQ5RZN7XWPT2LHV3M",
	    "postgres://app:Zk8+wq/3Xv@db.internal:5432/app",
	    "wT9/bQ4kX7pL2mN8vR5cY1sJ6hG3fD0aZ+eKuWxo", "9f1c4e7ab2d8" } },
	{ "a password of 8", 1, { "k7#Pq2!x" } },
};

int
main(int argc, char **argv)
{
	unsigned int rounds, mib;
	int dir_fd;

	report = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 10), "w");
	if (argc != 4 || report == NULL) {
		return 2;
	}
	rounds = (unsigned int)strtoul(argv[2], NULL, 10);
	mib = (unsigned int)strtoul(argv[3], NULL, 10);
	check(rounds > 0 && rounds <= ROUNDS_MAX && mib > 0, "ROUNDS or MIB");
	dir_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(dir_fd >= 0, argv[1]);
	close(0);
	close(2);
	for (size_t i = 0; i < sizeof(leases) / sizeof(leases[0]); i++) {
		struct scan_value values[5];
		struct scanner *scanner;
		struct err err = ERR_INIT;

		for (unsigned int k = 0; k < leases[i].count; k++) {
			values[k] = (struct scan_value){ "item", leases[i].values[k],
							 strlen(leases[i].values[k]) };
		}
		check(scanner_create(values, leases[i].count, &scanner, &err) == 0, err.text);
		compare(dir_fd, scanner, leases[i].what, false, mib, rounds);
		if (i == 0) {
			compare(dir_fd, scanner, leases[i].what, true, mib, rounds);
		}
		scanner_destroy(scanner);
	}
	return 0;
}
