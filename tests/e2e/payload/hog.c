/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs inside a sandbox as the tool: takes one resource without end, or for ever, and says what it
 * got. usage: hog KIND [NUMBER]. Exits 0 when it was stopped by an errno, which it prints; each
 * KIND has one line below.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1L << 20)

static void
say(const char *what, long got)
{
	printf("%s %ld %s\n", what, got, strerrorname_np(errno));
	fflush(stdout);
}

/* Touches anonymous memory a MiB at a time. */
static int
hog_malloc(long mib)
{
	for (long i = 0; i < mib; i++) {
		char *p = malloc((size_t)MIB);

		if (p == NULL) {
			say("malloc", i);
			return 0;
		}
		memset(p, (int)i | 1, (size_t)MIB);
	}
	errno = 0;
	say("malloc", mib);
	return 0;
}

static int
fill(int fd, long mib)
{
	static char piece[1 << 20];

	memset(piece, 7, sizeof(piece));
	for (long i = 0; i < mib; i++) {
		if (write(fd, piece, sizeof(piece)) != (ssize_t)sizeof(piece)) {
			say("write", i);
			return 0;
		}
	}
	errno = 0;
	say("write", mib);
	return 0;
}

static int
hog_memfd(long mib)
{
	return fill(memfd_create("hog", MFD_CLOEXEC), mib);
}

static int
hog_shm(long mib)
{
	return fill(open("/dev/shm/hog", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), mib);
}

/* A memfd that is mapped and touched, and then held: what only a watch can see. */
static int
hog_mapped(long mib)
{
	int fd = memfd_create("hog", MFD_CLOEXEC);
	char *p;

	if (ftruncate(fd, mib * MIB) < 0) {
		say("ftruncate", mib);
		return 1;
	}
	p = mmap(NULL, (size_t)(mib * MIB), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		say("mmap", mib);
		return 1;
	}
	memset(p, 7, (size_t)(mib * MIB));
	for (;;) {
		pause();
	}
}

/* Children that stay, until fork fails; then says how many. */
static int
hog_fork(long most)
{
	for (long i = 0; i < most; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			say("fork", i);
			return 0;
		}
		if (pid == 0) {
			for (;;) {
				pause();
			}
		}
	}
	errno = 0;
	say("fork", most);
	return 0;
}

/* Everybody forks, for ever. */
static int
hog_bomb(long ms)
{
	alarm((unsigned int)(ms / 1000));
	for (;;) {
		if (fork() < 0 && errno != EAGAIN) {
			return 1;
		}
	}
}

static void *
wait_for_ever(void *arg)
{
	for (;;) {
		pause();
	}
	return arg;
}

static int
hog_threads(long most)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (long i = 0; i < most; i++) {
		pthread_t t;

		errno = pthread_create(&t, &attr, wait_for_ever, NULL);
		if (errno != 0) {
			say("thread", i);
			return 0;
		}
	}
	say("thread", most);
	return 0;
}

/*
 * Processes whose parent is gone and who die: PID 1 has to reap them. Says what is left of them in
 * /proc.
 */
static int
hog_zombies(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			say("fork", i);
			return 1;
		}
		if (pid == 0) {
			_exit(fork() == 0 ? 0 : 1);
		}
		waitpid(pid, NULL, 0);
	}
	errno = 0;
	say("zombies", count);
	return 0;
}

static int
hog_fds(long most)
{
	for (long i = 0; i < most; i++) {
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) {
			say("open", i + 3);
			return 0;
		}
	}
	errno = 0;
	say("open", most);
	return 0;
}

static int
hog_sparse(long name)
{
	int fd = open("sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)name;
	if (ftruncate(fd, 1L << 60) < 0) {
		say("ftruncate", 60);
		return 0;
	}
	errno = 0;
	say("ftruncate", 60);
	return 0;
}

/* NUMBER files without content in the workspace, as many as it may. */
static int
hog_files(long most)
{
	for (long i = 0; i < most; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "f%ld", i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0) {
			say("create", i);
			return 0;
		}
		close(fd);
	}
	errno = 0;
	say("create", most);
	return 0;
}

static int
hog_spin(long ms)
{
	struct timespec end, now;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	errno = 0;
	say("spin", ms);
	return 0;
}

/* RLIMIT_CPU alone would not see this: each child is new. */
static int
hog_spin_children(long ms)
{
	for (;;) {
		pid_t pid = fork();
		struct timespec at;

		if (pid == 0) {
			do {
				clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
			} while (at.tv_sec * 1000 + at.tv_nsec / 1000000 < ms);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static int
hog_output(long bytes)
{
	static char piece[4096];

	memset(piece, 'x', sizeof(piece));
	while (bytes > 0) {
		size_t n = bytes > (long)sizeof(piece) ? sizeof(piece) : (size_t)bytes;
		ssize_t got = write(1, piece, n);

		if (got < 0) {
			return 1;
		}
		bytes -= got;
	}
	return 0;
}

/* A daemon by the book: fork, setsid, fork, closed stdio; deaf to what usually ends one. */
static int
hog_daemon(long number)
{
	(void)number;
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			signal(SIGTERM, SIG_IGN);
			signal(SIGHUP, SIG_IGN);
			close(0);
			close(1);
			close(2);
			for (;;) {
				sleep(1000);
			}
		}
		_exit(0);
	}
	wait(NULL);
	return 0;
}

static int
hog_rlimit(long number)
{
	struct rlimit l;

	(void)number;
	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_max++;
	errno = 0;
	say("setrlimit", setrlimit(RLIMIT_NOFILE, &l));
	errno = 0;
	say("setpriority", setpriority(PRIO_PROCESS, 0, -20));
	getrlimit(RLIMIT_CORE, &l);
	errno = 0;
	say("core", (long)l.rlim_cur);
	return 0;
}

/* Queues signals to itself that it never takes, and stays for so many seconds. */
static int
hog_signals(long seconds)
{
	sigset_t set;
	long got = 0;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ 0 }) == 0) {
		got++;
	}
	say("sigqueue", got);
	sleep((unsigned int)seconds);
	return 0;
}

/* Sends descriptors that nobody receives until no more may be on their way; stays. */
static int
hog_inflight(long seconds)
{
	union {
		char space[CMSG_SPACE(253 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	char byte = 0;
	struct iovec io = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	long got = 0;
	int pair[2];

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(253 * sizeof(int)); /* all of it is descriptor 0 */
	do {
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) {
			break;
		}
		while (sendmsg(pair[0], &msg, MSG_DONTWAIT) >= 0) {
			got += 253;
		}
	} while (errno == EAGAIN);
	say("inflight", got);
	sleep((unsigned int)seconds);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(long);
} kinds[] = {
	{ "malloc", hog_malloc },     { "memfd", hog_memfd },     { "shm", hog_shm },
	{ "mapped", hog_mapped },     { "fork", hog_fork },       { "bomb", hog_bomb },
	{ "threads", hog_threads },   { "zombies", hog_zombies }, { "fds", hog_fds },
	{ "sparse", hog_sparse },     { "files", hog_files },     { "spin", hog_spin },
	{ "children", hog_spin_children },
	{ "output", hog_output },     { "daemon", hog_daemon },   { "rlimit", hog_rlimit },
	{ "signals", hog_signals },	  { "inflight", hog_inflight },
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name) == 0) {
			return kinds[i].run(argc > 2 ? atol(argv[2]) : 0);
		}
	}
	fprintf(stderr, "usage: hog KIND [NUMBER]\n");
	return 2;
}
