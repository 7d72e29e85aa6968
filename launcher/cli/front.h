/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static front: `airlock run` from argv to exit status, in the order of docs/architecture.md's
 * pipeline. Each step fills its part of struct front and is the only one to write it; later steps
 * read. Runs as the caller; as root it becomes the workspace's owner after the cgroup parent stands
 * (front_identity.c) and never turns back. Trusts: its own binary's neighbours, the caller's
 * options as wishes that only narrow, nothing in the workspace.
 */
#ifndef AIRLOCK_CLI_FRONT_H
#define AIRLOCK_CLI_FRONT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/arena.h"
#include "../base/err.h"
#include "../base/text.h"
#include "../base/trace.h"
#include "../plan/plan_build.h"
#include "../plan/toolchains.h"
#include "../plan/worktree.h"
#include "../snapshot/commit.h"
#include "../snapshot/layer.h"
#include "../snapshot/lock.h"
#include "../store/store.h"
#include "../supervise/supervise.h"
#include "../workflow/keys.h"
#include "../workflow/running.h"

/* Exit statuses of our own; docs/airlock.1, "EXIT STATUS". */
#define EXIT_HELD 123
#define EXIT_TIMEOUT 124
#define EXIT_AIRLOCK 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define EXIT_SIGNAL_BASE 128
#define EXIT_OOM 137

struct front_options {
	const char *profile, *workspace, *chdir, *key, *mode, *over, *input, *context, *result,
		*receipt, *workflow, *step, *bundle, *serves;
	int result_fd, receipt_fd; /* -1 when not given */
	const char **env, **env_files, **limits, **grants, **handles;
	size_t env_count, env_file_count, limit_count, grant_count, handle_count;
	bool tty, raw, dry_run, no_stdin, quiet, verbose, explain_denials, wait, help;
	const char *const *argv; /* COMMAND … */
	size_t argc;
};

/* The programs and files that belong to this airlock. Opened before any drop of ids. */
struct front_paths {
	int self_fd, jail_fd, cli_fd, log_fd; /* O_PATH */
	const char *shipped;		      /* directory of the shipped profiles */
	const char *inspector;		      /* airlock-inspect of this airlock */
};

/* Tells a directory by whatever name; its mount is that of the name. */
struct inode_id {
	uint64_t device, inode, mount;
};

enum answer { ANSWER_RESULT, ANSWER_RECEIPT, ANSWER__COUNT };

/* The file that --result or --receipt names, besides its descriptor (front_answer.c). */
struct answer_file {
	const struct inode_id *above; /* the directory that it is in, and all above that */
	size_t above_count;
	int dir_fd;	  /* O_PATH, of that directory; -1: there is no file */
	const char *name; /* in it */
	bool made;	  /* by us */
};

/* What became of one postcondition. Texts are as the result JSON has them, escaped. */
struct check_result {
	const struct profile_check *check;
	const char *call, *verdict, *reason; /* NULL: it did not come to that */
	int exit_code;			     /* -1: the same */
	bool skipped;			     /* airlock was told to end before its turn */
	bool held;
};

struct front {
	struct arena arena;
	struct err err;
	struct front_options opt;
	bool options_read; /* all of them: what was not given is the default */
	struct answer_file answers[ANSWER__COUNT];
	bool answers_judged; /* against the workspace */
	bool no_workspace;   /* the directory that was named cannot be one: no tool gets it */
	struct front_paths paths;
	bool is_root; /* root over more than one id, before any drop */
	struct profile *profile;
	struct request req;
	int uid_lock_fd; /* IDENTITY_RANGE: keeps the id ours */
	struct cgroup_site site;
	const char *site_cache; /* its file */
	struct cgroup cgroup;
	uint64_t shmem_bytes;
	const char *profile_name; /* as airlock-cli finds it: a path is absolute */
	const char *state_path;
	struct store store;
	unsigned int quota_percent; /* of what the store may hold; 0: no limit */
	struct workspace_lock lock; /* shared from before the jail starts until all is settled */
	uint8_t workflow[16];
	char workflow_name[WORKFLOW_NAME_MAX + 1];
	int workflow_fd; /* wf/<id> */
	int calls_fd;	 /* of the workflow's list of calls, locked shared: this one is under way */
	struct running_call running;
	int running_fd;			  /* its file, locked; -1: it has none */
	uint64_t reserved[BUDGET__COUNT]; /* of the workflow's budget */
	const char *principal;		  /* of the context, or NULL */
	const char **asked_env;		  /* NAME=VALUE, passed or handed in */
	size_t asked_env_count;
	uint8_t repeat_digest[SHA256_SIZE]; /* of the request without its key */
	struct key_entry key;		    /* what this call is to its key */
	struct key_entry key_before;	    /* the entry that it replaces; call "": none */
	bool key_taken;
	bool asked; /* the ledger may have something of it */
	const char *
		retry_of; /* the call that it runs again: under its key, or as it failed; or NULL */
	unsigned int retries_left; /* of on_failure.retries, behind this attempt */
	uint32_t backoff_ms;	   /* what it waits before it is let in */
	bool wants_retry;	   /* it failed, and another attempt is to follow */
	bool answered;		   /* by its key: nothing runs, all is said */
	/* it reserves nothing of its own: a postcondition, or a look at what is finished */
	bool is_free;
	struct running_call parent; /* whose postcondition it is; call_text "": none */
	uint64_t end_ms;	    /* the deadline that ends it; 0: none */
	struct lease_hold *lease;   /* of credentials; NULL: none */
	bool refused; /* by state, budget or stop: it has a record, and runs nothing */
	uint64_t seq;
	int scratch_parent_fd; /* $STATE/scratch when something of the call is there */
	int upper_parent_fd;   /* the call's directory in it */
	int snapshot_fd;       /* the directory in it that holds the workspace's copy */
	const char *snapshot_name;
	int workspace_clone; /* detached mount; -1 for a plain user */
	/* the same of the call's directory on disk, where only root reaches it */
	int upper_clone;
	struct layers draft;		/* what the call runs over */
	enum layer_place over_place;	/* with --over: where the last of them is kept */
	int over_fd;			/* that layer, locked shared: nobody discards it; else -1 */
	char over_text[UUID_TEXT_SIZE]; /* and whose it is */
	int input_fd;		      /* with --input: what is at the workspace's place; else -1 */
	const char *input_path;	      /* without links */
	int draft_clone;	      /* detached mount of it, for an id of the range; else -1 */
	struct toolchains toolchains; /* what the profile gives and the host has */
	struct worktree worktree;     /* what is given of a linked worktree's repository */
	const char *venv;	      /* the workspace's virtual environment in use, or NULL */
	struct plan_builder *builder;
	const struct plan *plan;
	struct relay relay;
	struct terminal terminal; /* the caller's, with -t only */
	int signal_fd;		  /* signalfd of what is forwarded; the signals are blocked */
	int end_fd;		  /* of those among them that end a call: readable, there is one */
	struct jail_handle jail;
	struct outcome outcome;
	struct denials layers; /* what this host lacks and the profile tolerates */
	struct denial refusal; /* why nothing ran, where err has parts; count 0: it has none */
	bool recorded;	       /* the planned part is durable */
	uint64_t t0_ms, t1_ms;
	/* coarse clock before the hash: an entry of the input tree with a later ctime is unstable
	 */
	int64_t start_ns;
	struct pack pack;
	uint8_t stream_object[RELAY__COUNT][32]; /* where a stream that is not inline was stored */
	bool tree_known;
	struct tree_result tree;
	struct tree_changed tree_changed; /* while the call ran */
	struct change_set changes;
	bool changes_known;
	int commits_fd;		  /* $STATE/commits, while there is a commit */
	struct commit *commit;	  /* done, until the outcome is durable */
	struct buf outcome_entry; /* written ahead where the commit's journal needs it */
	struct journal_pos planned_pos;
	const char *settled;	     /* committed held discarded none */
	const char *settle_reason;   /* why held, NULL else */
	struct check_result *checks; /* of done_when, as far as they were tried */
	size_t check_count;
	bool checks_stopped; /* by a signal */
	const char
		*ended_by;   /* while they were tried: the words for who killed the call, or NULL */
	bool not_done;	     /* the tool succeeded, and a postcondition does not hold */
	bool kept_aside;     /* the change set is a layer there, whatever becomes of it */
	const char *held_as; /* where it is kept: "draft", "aside"; NULL: it is not held */
	bool said;	     /* airlock-cli has told the person what err says */
	const char *warnings[16];
	size_t warning_count;
	int exit_status;
};

/*
 * Each returns 0 or -errno with f->err set; f->exit_status says which exit that is (EXIT_AIRLOCK by
 * default).
 */
int front_parse(struct front *f, int argc, char **argv) must_check;
int front_open_answers(struct front *f) must_check; /* --result and --receipt */
/*
 * The same, where the tool could put another file in its place: in the workspace, and in a
 * directory of filesystem.write. Such a file stays as it was, and one that we made goes again.
 */
int front_refuse_answers(struct front *f) must_check;
int front_refuse_written_answers(struct front *f) must_check;
/* For a call that ends before it comes to that: as far as one can tell what the workspace is. */
void front_spare_answers(struct front *f);
int front_find_paths(struct front *f) must_check;
int front_workspace(struct front *f) must_check; /* -w, -C: what may be a workspace */
int front_identity(struct front *f) must_check;	 /* who the tool is */
/*
 * Root: an id of the range that nobody else has as long as the lock file is open, one for each id.
 * -EAGAIN: all are in use.
 */
int front_take_id(struct front *f, int *ret_lock_fd, uint32_t *ret_id) must_check;
/* root: cgroup parent and workspace clone, before the drop */
int front_root_only(struct front *f) must_check;
int front_clone_workspace(struct front *f) must_check; /* root: a detached mount for the jail */
int front_become_owner(struct front *f) must_check;    /* root: the drop */
/* where the state directory is or will be, without links */
int front_state_path(struct front *f) must_check;
/* of a path that need not exist yet; NULL: out of memory */
const char *front_resolved(struct front *f, const char *path);
int front_store(struct front *f) must_check; /* opens or makes it; call id, workflow */
/* whether the call may be made: its key, its workflow's state and budget, the stop button */
int front_admit(struct front *f) must_check;
/* what holds of its workflow's budget and deadline while it runs (supervise_control) */
bool front_limits(void *arg, uint64_t ran_ms, uint64_t *ret_wall_ms, uint64_t *ret_end_ms);
/* the digests of the request: of all of it, of its parts, and without its key */
int front_request_digest(struct front *f) must_check;
/*
 * What its key says, under the ledger. *ret_again: the ledger was given back, and all is to be
 * looked at anew; f->answered: nothing is to be run.
 */
int front_key(struct front *f, struct ledger_file *ledger, bool *ret_again) must_check;
enum replay_stream { REPLAY_STDIN, REPLAY_STDOUT, REPLAY_STDERR, REPLAY_RESULT, REPLAY__COUNT };
/* To the caller what those hold, from their start: output, result JSON. Closes them. */
void front_pass_on(struct front *f, int held[REPLAY__COUNT]);
/* The recorded answer of a call in the place of this one: streams, result JSON, exit status. */
int front_replay(struct front *f, const char *call) must_check;
/* Its workflow's ledger; where that is lost it is made again from the journal, once. */
int front_open_ledger(struct front *f, struct ledger_file *ret) must_check;
/*
 * The entry of a move that the ledger has, and its file has not yet: whoever dies before that is
 * written leaves one that is made again, with this entry. by: as in the entry.
 */
int front_tell_move(struct front *f, struct ledger_file *file, const char *action, const char *by)
	must_check;
/*
 * Whether a call that fails may run again: its profile says so, and nothing stands in the way
 * (front_no_retry: what does, or NULL).
 */
bool front_may_retry(const struct front *f);
const char *front_no_retry(const struct front *f);
/* Such a call, with all its attempts; run does each, in a child. The exit status. */
int front_attempts(struct front *f, int (*run)(struct front *f, int rc));
/* Ends as admission does where somebody ends the call meanwhile. */
int front_wait_to_retry(struct front *f) must_check;
/* What ends a call from outside: what its caller sends, and does not ignore. */
void front_ending_signals(sigset_t *ret);
/* It ran, and did not do what it was to do; what somebody ended, or never began, did not fail. */
bool front_has_failed(enum verdict verdict);
/* on_failure.then: what becomes of the workflow; what could not be done is in the reason */
int front_on_failure(struct front *f) must_check;
/* Why the call is not let in is what f->err says: it gets a record, and runs nothing. */
void front_refuse(struct front *f);
/* ---- a call that is a resolver of another's credentials: --serves (front_serves.c) */
int front_serves_parse(struct front *f) must_check;
/* Whether the workspace is the one that resolvers have, in the state directory. */
bool front_serves_here(const struct front *f);
int front_serves_narrow(struct front *f) must_check; /* a resolver has few seconds */
/*
 * Whether it is for this command, under this profile and in that workspace, that something of the
 * call that it serves is owed. Such a call is let in where others are not: what was given ends.
 */
bool front_serves_owed(const struct front *f);
bool front_serves_left(const struct front *f); /* something is owed, by whatever call */
/* From here on stdout is the tool's alone. */
int front_serves_let_go(struct front *f) must_check;
/* which credentials the call is given, and by whom (front_lease.h); 0 also where it is refused */
int front_lease(struct front *f) must_check;
/* their values, as pipes; the same */
int front_lease_values(struct front *f) must_check;
/* Those for the jail, which get no other reader; how many. ret_fds: PLAN_CREDENTIALS_MAX. */
size_t front_lease_pipes(const struct front *f, int *ret_fds);
/* What finds the values in what leaves the call; NULL: nothing is leased. Until the end. */
const struct scanner *front_lease_scanner(const struct front *f);
void front_lease_wipe(struct front *f);
/* A value gets a mark in its place in what agents signed for, once airlock-credd has told that. */
void front_redact_uses(struct front *f);
/* The same in the context; it is refused where no context would be left. */
int front_redact_context(struct front *f, const struct scanner *scanner) must_check;
/* When the first of them ends, by CLOCK_REALTIME; 0: none before the call. */
uint64_t front_lease_ends(const struct front *f);
int front_lease_fd(const struct front *f); /* hangs up when they are revoked; -1: there are none */
void front_lease_sent(struct front *f);	   /* the jail has them */
void front_lease_end(struct front *f);	   /* the call has ended, or does not begin */
void front_lease_sweep(struct front *f);   /* what earlier calls could not have revoked */
/* what it used of the budget; its file goes, where it has an outcome or no record */
void front_account(struct front *f, bool has_outcome);
/* number in the workflow; opens the pack */
int front_claim(struct front *f) must_check;
/* what a crash left of commits and of calls, by airlock-cli */
int front_recover(struct front *f) must_check;
int front_recover_now(struct front *f) must_check;    /* without looking whether there is any */
int front_refuse_overlap(struct front *f) must_check; /* workspace against state, profiles, cache */
/* directories of filesystem.write against the same, and names that others run or trust */
int front_refuse_writes(struct front *f) must_check;
int front_profile(struct front *f) must_check; /* cached, or compiled by airlock-cli */
/* its values into the journal, once per state directory */
int front_note_profile(struct front *f) must_check;
int front_narrow(struct front *f) must_check;	  /* -m, --limit, --context */
int front_inspector(struct front *f) must_check; /* COMMAND is airlock-inspect */
int front_toolchains(struct front *f) must_check; /* what this host has of them */
/* The toolchain that would show a host path and is not given; NULL when there is none. */
const char *front_toolchain_of(const struct front *f, const char *path);
/* the directories behind filesystem.cache */
int front_caches(struct front *f) must_check;
/* where the workspace is a linked git worktree: its repository, or a note */
int front_worktree(struct front *f) must_check;
void front_worktree_planned(struct front *f); /* the plan had no place for it */
int front_asked_environment(struct front *f) must_check;
int front_environment(struct front *f) must_check;
/* Where groups go, from the cache in cache_dir or discovered. */
int front_cgroup_site(struct front *f, const char *cache_dir) must_check;
/* Its parents are gone: found and made anew. -ESTALE when the same place is not to be had. */
int front_cgroup_again(struct front *f) must_check;
/* what this host lacks, and whether that is allowed */
int front_layers(struct front *f) must_check;
/* the workspace stays as it is from here on, as far as airlock changes it */
int front_lock(struct front *f) must_check;
int front_draft(struct front *f) must_check;	  /* held change sets below this call */
int front_over_parse(struct front *f) must_check; /* --over: implies observe */
/* The moment whose day's workflow the call belongs to: now, or that of the call of --over. */
uint64_t front_over_time(const struct front *f);
/* Makes the draft what --over asks for; aside: what is kept besides. */
int front_over(struct front *f, const struct layers *aside) must_check;
/* What is held is kept to be applied; it is told where that fails. */
void front_keep_held(struct front *f, enum layer_place where);
/*
 * What the caller names: fd or -errno. Root follows no link on the way: who can swap one would
 * choose which directory root hands to a tool, and as whom, or which file root writes.
 */
int front_open_named(const char *path, int flags, mode_t mode) must_check;
int front_input_parse(struct front *f) must_check; /* --input: implies observe */
int front_input_open(struct front *f) must_check;
/* -C, where --input is given */
int front_input_cwd(struct front *f, const char *given) must_check;
int front_input(struct front *f) must_check;	/* works on that directory */
int front_snapshot(struct front *f) must_check; /* workspace: snapshot: on a copy */
/*
 * That tree, which the call keeps open, at the workspace's place from here on; the workspace's lock
 * is free again.
 */
int front_use_tree(struct front *f, const char *path, int tree_fd) must_check;
/*
 * The fd of a new directory in $STATE/scratch. Its lock says that the call lives; the sweep goes by
 * it.
 */
int front_scratch(struct front *f, const char *name) must_check;
/* Sets the change set aside, so that postconditions run over it; and takes that away again. */
int front_keep_aside(struct front *f) must_check;
void front_drop_aside(struct front *f);
/* Tries all postconditions; *ret_failed: why the call is not done, NULL when it is. */
int front_checks(struct front *f, const char **ret_failed) must_check;
int front_upper(struct front *f) must_check;	    /* tmpfs or disk */
void front_sweep_upper(struct front *f);	    /* what crashed calls left on disk */
int front_choose_shell(struct front *f) must_check; /* COMMAND, where there is none */
int front_lookup(struct front *f) must_check;	    /* COMMAND -> path inside */
int front_spawn(struct front *f) must_check;	    /* a jail that waits for its plan */
/* Blocks what is read from signal_fd and end_fd; with -t, more once there is a jail. */
int front_listen(struct front *f) must_check;
int front_listen_to_terminal(struct front *f) must_check;
void front_leave_signals(struct front *f); /* the tool is gone */
/* Takes one signal that ends the call: whose it was; NULL: there is none. */
const char *front_told_to_end(struct front *f);
/*
 * Takes a signal that ends the call, where there is one: -EINTR, interrupted, and err says by whom.
 * Before anything of it ran.
 */
int front_ended(struct front *f) must_check;
/* plan handed over, planned part, supervise */
int front_launch(struct front *f) must_check;
int front_keep_streams(struct front *f) must_check; /* what was captured, into the pack */
/* change set: collect, commit, hold, discard */
int front_settle(struct front *f) must_check;
int front_record_planned(struct front *f) must_check;
int front_record_outcome(struct front *f) must_check;
/* The outcome as it stands, as a whole journal entry. */
int front_outcome_entry(struct front *f, struct buf *ret_entry) must_check;
/* Why it ended so, or is held; NULL when there is nothing to say. */
const char *front_reason(const struct front *f);
/* Held, and not because the mode says so: what was asked for did not happen. */
bool front_waits(const struct front *f);
/* What `airlock run` ends with, once it is settled. */
int front_exit_status(const struct front *f);
/* --receipt, after the answer */
void front_receipt(struct front *f, const char *call);
void front_say_warnings(const struct front *f, size_t from); /* on stderr */
void front_result(struct front *f);			     /* --result, stderr, exit status */
/* The result JSON, in the place of what was in the file; nothing where it is empty. */
void front_deliver_result(const struct front *f, const struct buf *text);
void front_explain(const struct front *f); /* --explain-denials */
void front_note(const struct front *f);	   /* the dim line on a terminal */
struct json;
/* The limits as records and results show them. */
void front_limits_json(struct json *j, const struct limits *l);
/* What was leased, of the planned part; and how that ended, of the outcome part. */
void front_lease_json(struct json *j, const struct front *f);
void front_lease_outcome_json(struct json *j, const struct front *f);
void front_leaks_json(struct json *j, const struct front *f); /* where values were */
void front_checks_json(struct json *j, const struct front *f);
/* The first paths of the input that changed while the call ran. */
void front_changed_json(struct json *j, const struct tree_changed *c);
void front_warn(struct front *f, const char *text); /* into the record; borrowed or arena text */

/*
 * Runs airlock-cli with these arguments (NULL-terminated, argv[0] included) and waits; its exit
 * status or -errno: -ECHILD when it was killed.
 */
int front_run_cli(struct front *f, const char *const argv[]) must_check;
/* The same; what it says comes back as text, without the newline at its end. */
int
front_ask_cli(struct front *f, const char *const argv[], char *ret_said, size_t size) must_check;
/* The same; ret is what it prints on stdout, or, when it fails, says on stderr. */
int front_read_cli(struct front *f, const char *const argv[], struct buf *ret) must_check;
/* The same; it is killed as soon as stop_fd is readable, and ret is what it has said by then. */
int front_read_cli_until(struct front *f, const char *const argv[], int stop_fd,
			 struct buf *ret) must_check;

/*
 * The environment of programs that are started beside the call, and what a profile may pass on:
 * ours; of it what an owner may know where root became him, in few.
 */
#define FRONT_ENVIRON_ROOM 32
const char *const *front_environ(const struct front *f, const char *few[FRONT_ENVIRON_ROOM]);
/* In a child that will be the owner's: out of root's session, and of root's directory. */
int front_leave_caller(const struct front *f) must_check;
/* In a child: is airlock-cli from here on, with these as 0, 1, 2; -1: /dev/null, and our stderr. */
void __attribute__((noreturn))
front_become_cli(const struct front *f, const char *const argv[], const int stdio[3]);

int front_main_run(int argc, char **argv);

#endif
