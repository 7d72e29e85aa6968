/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a launch costs, by the clock of whoever waits for it. Run by a developer; trusts its
 * arguments.
 *
 *         launch ROUNDS GAP_MS -- NAME=PROGRAM [ARG…] [-- NAME=PROGRAM [ARG…]]…
 *
 * A command ends at a "--" that another NAME=PROGRAM follows; any other "--" is an argument of it.
 * Each round runs every command once, in a new random order, after GAP_MS of rest: agents call
 * tools with gaps, and loops without them hide what an idle machine pays (RCU grace periods, cold
 * caches). Ratios are taken within a round, against the first command, so that a slow moment of the
 * machine counts for both. A command that fails ends the run: its time would mean nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

#define COMMANDS_MAX 16
#define ROUNDS_MAX 100000
#define GAP_MS_MAX 10000
#define WARM_UP_ROUNDS 3

struct command {
	char *name;      /* borrowed from argv */
	char **argv;     /* NULL-terminated, borrowed */
	double *took_ms; /* one per round */
};

extern char **environ;

static int
usage(void)
{
	fputs("usage: launch ROUNDS GAP_MS -- NAME=PROGRAM [ARG...] "
	      "[-- NAME=PROGRAM [ARG...]]...\n",
	      stderr);
	return 2;
}

static bool
parse_count(const char *text, long max, long *ret)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0 || value > max) {
		return false;
	}
	*ret = value;
	return true;
}

/* "NAME=…" with a name that is not a path, an option or empty. */
static bool
names_command(const char *arg)
{
	size_t len = arg != NULL ? strcspn(arg, "=/") : 0;

	return len > 0 && arg[0] != '-' && arg[len] == '=' && arg[len + 1] != '\0';
}

/* Cuts argv in place. The count, 0 when it is not a list of commands. */
static size_t
parse_commands(char **argv, struct command *commands)
{
	size_t count = 0;

	for (; *argv != NULL; argv++) {
		char *equals;

		if (strcmp(*argv, "--") != 0 || !names_command(argv[1])) {
			if (count == 0) {
				return 0;
			}
			continue;
		}
		if (count == COMMANDS_MAX) {
			return 0;
		}
		*argv++ = NULL; /* ends the command before */
		equals = strchr(*argv, '=');
		*equals = '\0';
		commands[count++] = (struct command){ .name = *argv, .argv = argv };
		*argv = equals + 1;
	}
	return count;
}

static void
rest(long gap_ms)
{
	struct timespec left = { gap_ms / 1000, gap_ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR) {
	}
}

/* From before the spawn until the exit is known. */
static bool
run_once(const struct command *c, const posix_spawn_file_actions_t *actions, double *ret_ms)
{
	double before = bench_now_ms();
	pid_t pid;
	int status;
	int code = posix_spawnp(&pid, c->argv[0], actions, NULL, c->argv, environ);

	if (code != 0) {
		fprintf(stderr, "launch: %s: %s: %s\n", c->name, c->argv[0], strerror(code));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			perror("launch: waitpid");
			return false;
		}
	}
	*ret_ms = bench_now_ms() - before;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "launch: %s failed (wait status 0x%x)\n", c->name,
			(unsigned int)status);
		return false;
	}
	return true;
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void
shuffle(size_t *order, size_t count, uint64_t *state)
{
	for (size_t i = count; i > 1; i--) {
		size_t j = next_random(state) % i;
		size_t kept = order[i - 1];

		order[i - 1] = order[j];
		order[j] = kept;
	}
}

static bool
run_rounds(struct command *commands, size_t count, long rounds, long gap_ms,
	   const posix_spawn_file_actions_t *actions)
{
	size_t order[COMMANDS_MAX];
	uint64_t state = (uint64_t)time(NULL);

	for (size_t i = 0; i < count; i++) {
		order[i] = i;
	}
	for (long round = -WARM_UP_ROUNDS; round < rounds; round++) {
		shuffle(order, count, &state);
		for (size_t i = 0; i < count; i++) {
			struct command *c = &commands[order[i]];
			double took_ms;

			rest(gap_ms);
			if (!run_once(c, actions, &took_ms)) {
				return false;
			}
			if (round >= 0) {
				c->took_ms[round] = took_ms;
			}
		}
	}
	return true;
}

/* Nearest rank; values are sorted. */
static double
percentile(const double *values, long count, long percent)
{
	long rank = (count * percent + 99) / 100;

	return values[rank > 0 ? rank - 1 : 0];
}

static void
print_results(struct command *commands, size_t count, long rounds, double *ratios)
{
	printf("%-16s %9s %9s %9s %9s\n", "command", "p50 ms", "p90 ms", "p99 ms", "x first");
	/*
	 * backwards: sorting the first one's times ends its use as what the rest is compared with
	 */
	for (size_t i = count; i-- > 0;) {
		for (long round = 0; round < rounds; round++) {
			ratios[(long)i * rounds + round] =
				commands[i].took_ms[round] / commands[0].took_ms[round];
		}
		qsort(ratios + (long)i * rounds, (size_t)rounds, sizeof(*ratios), bench_compare);
		qsort(commands[i].took_ms, (size_t)rounds, sizeof(*ratios), bench_compare);
	}
	for (size_t i = 0; i < count; i++) {
		const double *took_ms = commands[i].took_ms;

		printf("%-16s %9.3f %9.3f %9.3f %9.2f\n", commands[i].name,
		       percentile(took_ms, rounds, 50), percentile(took_ms, rounds, 90),
		       percentile(took_ms, rounds, 99),
		       percentile(ratios + (long)i * rounds, rounds, 50));
	}
}

int
main(int argc, char **argv)
{
	struct command commands[COMMANDS_MAX];
	posix_spawn_file_actions_t actions;
	size_t count = 0;
	long rounds, gap_ms;
	double *ratios, *times;
	bool done;

	if (argc < 5 || !parse_count(argv[1], ROUNDS_MAX, &rounds) || rounds == 0 ||
	    !parse_count(argv[2], GAP_MS_MAX, &gap_ms)) {
		return usage();
	}
	count = parse_commands(argv + 3, commands);
	if (count == 0) {
		return usage();
	}
	times = calloc(count * (size_t)rounds, sizeof(*times));
	ratios = calloc(count * (size_t)rounds, sizeof(*ratios));
	if (times == NULL || ratios == NULL || posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) != 0) {
		fputs("launch: no memory\n", stderr);
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		commands[i].took_ms = times + i * (size_t)rounds;
	}
	done = run_rounds(commands, count, rounds, gap_ms, &actions);
	if (done) {
		print_results(commands, count, rounds, ratios);
	}
	posix_spawn_file_actions_destroy(&actions);
	free(times);
	free(ratios);
	return done ? 0 : 1;
}
