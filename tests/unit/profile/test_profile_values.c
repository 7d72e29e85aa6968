/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. One good and at least one bad value per key, with the exact
 * message.
 */
#include "profile_test.h"

struct row {
	enum profile_key_id key;
	const char *yaml; /* lines below version and name; the key stands in line 3 */
	uint64_t number;  /* of the value, or of its entries' count for lists */
	const char *text; /* of the value, or of its first entry */
	const char *bad_yaml;
	const char *place; /* "line:column" of the error */
	const char *error;
};

/* In the order of keys.def; the test sees that none is missing. */
static const struct row rows[] = {
	{ KEY_VERSION, "", 1, "", "", "", "" },
	{ KEY_NAME, "", 0, "a", "", "", "" },
	{ KEY_DESCRIPTION, "description: Hello, you", 0, "Hello, you", "description: [a]", "3:14",
	  "description: wants one value, not a list or a map" },
	{ KEY_OWNERS_PERMISSIONS, "owners: { permissions: p@x }", 0, "p@x",
	  "owners: { permissions: }", "3:11",
	  "owners.permissions: no value; write one line of text" },
	{ KEY_OWNERS_INCIDENTS, "owners: { incidents: i@x }", 0, "i@x", "owners: { incidents: {} }",
	  "3:22", "owners.incidents: wants one value, not a list or a map" },
	{ KEY_EXTENDS, "extends: base", 0, "base", "extends: Base", "3:10",
	  "extends: wants the name of a profile, or a path with a slash, not 'Base'" },
	{ KEY_OPEN, "open: [limits.memory]", 1, "limits.memory", "open: [memory]", "3:8",
	  "open: wants the full name of a key, such as limits.memory, not 'memory'" },
	{ KEY_TOOL_RUN, "tool: { run: [/usr//bin/./jq/] }", 1, "/usr/bin/jq", "tool: { run: [jq] }",
	  "3:15", "tool.run: wants an absolute path, or one that starts with ~/, not 'jq'" },
	{ KEY_EFFECTS, "effects: [write-workspace]", 1, "write-workspace",
	  "effects: [write-workspce]", "3:11",
	  "effects: wants read, write-workspace, write-external or irreversible, not "
	  "'write-workspce'; did "
	  "you mean 'write-workspace'?" },
	{ KEY_MODE, "mode: apply", MODE_APPLY, "", "mode: commit", "3:7",
	  "mode: wants observe, propose or apply, not 'commit'" },
	{ KEY_SUCCESS, "success: [0, 1]", 2, "0", "success: [256]", "3:11",
	  "success: wants an exit code from 0 to 255, not '256'" },
	{ KEY_LABELS_ADDS, "labels: { adds: [] }", 0, "", "labels: { adds: [untrusted] }", "3:18",
	  "labels.adds: this version has no labels yet, so nothing is asked for; write []" },
	{ KEY_FS_READ, "filesystem: { read: [/usr/, ~/.cargo] }", 2, "/usr",
	  "filesystem: { read: [/usr/../etc] }", "3:22",
	  "filesystem.read: '/usr/../etc' has '..' in it" },
	{ KEY_TOOLCHAINS, "toolchains: [nvm]", 1, "nvm", "toolchains: [nwm]", "3:14",
	  "toolchains: wants the name of a toolchain, such as nvm, or all, not 'nwm'; did you "
	  "mean 'nvm'?" },
	{ KEY_FS_HIDE, "filesystem: { hide: [./.env, keys//x/] }", 2, ".env",
	  "filesystem: { hide: [\"*.pem\"] }", "3:23",
	  "filesystem.hide: '*.pem' is a pattern; name the files and directories" },
	{ KEY_FS_WRITE, "filesystem: { write: [/srv/out/, ~/x] }", 2, "/srv/out",
	  "filesystem: { write: [/usr/local/x] }", "3:23",
	  "filesystem.write: '/usr/local/x' cannot be given: it belongs to the system or to many; "
	  "name a directory of your own" },
	{ KEY_FS_CACHE, "filesystem: { cache: { pip: { path: ~/.cache//pip/ } } }", 1, "pip",
	  "filesystem: { cache: { pip: { path: /etc/pip } } }", "3:37",
	  "filesystem.cache: '/etc/pip' cannot be given: it belongs to the system or to many; "
	  "name a directory of your own" },
	{ KEY_FS_PROTECT, "filesystem: { protect: [deploy//x/] }", 1, "deploy/x/",
	  "filesystem: { protect: [/deploy] }", "3:25",
	  "filesystem.protect: wants a path below the workspace, such as deploy/, not '/deploy'" },
	{ KEY_FS_HOLD_ABOVE, "filesystem: { hold_above: { files: 7, bytes: 1024KiB } }", 2, "files",
	  "filesystem: { hold_above: { bytes: 7 } }", "3:36",
	  "filesystem.hold_above: bytes wants a size with its unit, such as 512MiB or 2GiB, not "
	  "'7'" },
	{ KEY_NET_LOOPBACK, "network: { loopback: true }", 1, "", "network: { loopback: no }",
	  "3:22", "network.loopback: wants true or false, not 'no'" },
	{ KEY_NET_EGRESS, "network: { egress: [] }", 0, "",
	  "network: { egress: [{ host: api.example.com, ports: [443] }] }", "3:21",
	  "network.egress: this version has no egress yet, so nothing is granted; write []" },
	{ KEY_CREDENTIALS, "credentials: [gh, db.ro]", 2, "gh", "credentials: [Gh]", "3:15",
	  "credentials: wants the name of a credential, such as github, not 'Gh'" },
	{ KEY_LEAK, "leak: stop", LEAK_STOP, "", "leak: hide", "3:7",
	  "leak: wants redact or stop, not 'hide'" },
	{ KEY_GIT_IDENTITY, "git: { identity: true }", 1, "", "git: { identity: yes }", "3:18",
	  "git.identity: wants true or false, not 'yes'" },
	{ KEY_GIT_WORKTREE, "git: { worktree: true }", 1, "", "git: { worktree: 1 }", "3:18",
	  "git.worktree: wants true or false, not '1'" },
	{ KEY_ENV_PASS, "environment: { pass: [\"LC_*\", LANG] }", 2, "LC_*",
	  "environment: { pass: [LD_PRELOAD] }", "3:23",
	  "environment.pass: 'LD_PRELOAD' never crosses into a sandbox: the dynamic loader takes "
	  "libraries "
	  "from it" },
	{ KEY_ENV_ACCEPT, "environment: { accept: [CI] }", 1, "CI",
	  "environment: { accept: [\"*\"] }", "3:26",
	  "environment.accept: wants the name of a variable, such as LANG or LC_*, not '*'" },
	{ KEY_ENV_SET, "environment: { set: { A: \"\" } }", 1, "A",
	  "environment: { set: { \"A*\": x } }", "3:24",
	  "environment.set: wants the name of a variable, such as LANG, not 'A*'" },
	{ KEY_SYSCALLS, "syscalls: { allow: [\"@io\"] }", 1, "@io",
	  "syscalls: { allow: [\"@i0\"] }", "3:22",
	  "syscalls.allow: wants the name of a group, such as \"@default\" (in quotes), not '@i0'; "
	  "did you mean "
	  "'@io'?" },
	{ KEY_LIM_MEMORY, "limits: { memory: 2GiB }", 2147483648, "", "limits: { memory: 2048 }",
	  "3:19", "limits.memory: wants a size with its unit, such as 512MiB or 2GiB, not '2048'" },
	{ KEY_LIM_PIDS, "limits: { pids: 4 }", 4, "", "limits: { pids: 3 }", "3:17",
	  "limits.pids: '3' is below the least, 4" },
	{ KEY_LIM_CPU, "limits: { cpu: 150% }", 150, "", "limits: { cpu: 150 }", "3:16",
	  "limits.cpu: wants a percentage, such as 200%, not '150'" },
	{ KEY_LIM_CPU_TIME, "limits: { cpu_time: 1h }", 3600000, "", "limits: { cpu_time: 60 }",
	  "3:21",
	  "limits.cpu_time: wants a duration with its unit, such as 30s, 10m or 1h, not '60'" },
	{ KEY_LIM_WALL, "limits: { wall: 10m }", 600000, "", "limits: { wall: 1ms }", "3:17",
	  "limits.wall: '1ms' is below the least, 100ms" },
	{ KEY_LIM_DISK, "limits: { disk: 64KiB }", 65536, "", "limits: { disk: 99999999999999TiB }",
	  "3:17", "limits.disk: '99999999999999TiB' is above the most, 1024TiB" },
	{ KEY_LIM_FILES, "limits: { files: 200000 }", 200000, "", "limits: { files: -1 }", "3:18",
	  "limits.files: wants a whole number, such as 512, not '-1'" },
	{ KEY_LIM_OUTPUT, "limits: { output: 16MiB }", 16777216, "", "limits: { output: 16MB }",
	  "3:19", "limits.output: wants a size with its unit, such as 512MiB or 2GiB, not '16MB'" },
	{ KEY_LIM_OPEN_FILES, "limits: { open_files: 1024 }", 1024, "",
	  "limits: { open_files: 1048577 }", "3:23",
	  "limits.open_files: '1048577' is above the most, 1048576" },
	{ KEY_ALLOW_DEGRADED, "allow_degraded: [cgroup.cpu]", 1, "cgroup.cpu",
	  "allow_degraded: [cgroups]", "3:18",
	  "allow_degraded: wants the name of a layer, such as landlock, not 'cgroups'; did you "
	  "mean "
	  "'cgroup'?" },
	{ KEY_RETRY, "retry: safe", RETRY_SAFE, "", "retry: save", "3:8",
	  "retry: wants safe or ask, not 'save'; did you mean 'safe'?" },
	{ KEY_ON_FAILURE, "on_failure: { then: stop }", ON_FAILURE_STOP, "",
	  "on_failure: { then: aks }", "3:21",
	  "on_failure.then: wants continue, ask or stop, not 'aks'; did you mean 'ask'?" },
	{ KEY_ON_FAILURE_RETRIES, "on_failure: { retries: 16 }", 16, "",
	  "on_failure: { retries: 17 }", "3:24",
	  "on_failure.retries: '17' is above the most, 16" },
	{ KEY_ON_FAILURE_BACKOFF, "on_failure: { backoff: 5m }", 300000, "",
	  "on_failure: { backoff: 301s }", "3:24",
	  "on_failure.backoff: '301s' is above the most, 5m" },
	{ KEY_DONE_WHEN, "done_when: [{ name: t, run: [make] }]", 1, "t",
	  "done_when:\n- { name: t, rnu: [make] }", "4:14",
	  "done_when: unknown key 'rnu'; did you mean 'run'?" },
	{ KEY_CAPTURE_INPUTS, "capture: { inputs: content }", CAPTURE_CONTENT, "",
	  "capture: { inputs: all }", "3:20",
	  "capture.inputs: wants digests, touched or content, not 'all'" },
	{ KEY_CAPTURE_FILE_SIZE, "capture: { file_size: 1MiB }", 1048576, "",
	  "capture: { file_size: 0B }", "3:23", "capture.file_size: '0B' is below the least, 1B" },
	{ KEY_CAPTURE_STDIN, "capture: { stdin: 0B }", 0, "", "capture: { stdin: 7 }", "3:19",
	  "capture.stdin: wants a size with its unit, such as 512MiB or 2GiB, not '7'" },
	{ KEY_CAPTURE_STDOUT, "capture: { stdout: 2KiB }", 2048, "", "capture: { stdout: all }",
	  "3:20", "capture.stdout: wants a size with its unit, such as 512MiB or 2GiB, not 'all'" },
	{ KEY_CAPTURE_STDERR, "capture: { stderr: 1024TiB }", 1125899906842624, "",
	  "capture: { stderr: 1025TiB }", "3:20",
	  "capture.stderr: '1025TiB' is above the most, 1024TiB" },
	{ KEY_CAPTURE_ENV, "capture: { environment: [LC_*] }", 1, "LC_*",
	  "capture: { environment: [a-b] }", "3:26",
	  "capture.environment: wants the name of a variable, such as LANG or LC_*, not 'a-b'" },
	{ KEY_OBSERVE_WRITES, "observe_writes: refuse", OBSERVE_REFUSE, "",
	  "observe_writes: refused", "3:17",
	  "observe_writes: wants discard or refuse, not 'refused'; did you mean 'refuse'?" },
	{ KEY_WORKSPACE, "workspace: snapshot", WORKSPACE_SNAPSHOT, "", "workspace: copy", "3:12",
	  "workspace: wants shared or snapshot, not 'copy'" },
	{ KEY_TESTS_ALLOW, "tests: { allow: [read /usr] }", 1, "read /usr",
	  "tests: { allow: [raed /usr] }", "3:18",
	  "tests.allow: wants see, read, write, execute, command, environment, syscall or limit "
	  "first, not 'raed'; did you mean 'read'?" },
	{ KEY_TESTS_DENY, "tests: { deny: [syscall ptrace -> EPERM] }", 1,
	  "syscall ptrace -> EPERM", "tests: { deny: [syscall ptarce] }", "3:17",
	  "tests.deny: unknown system call 'ptarce'; did you mean 'ptrace'?" },
};
_Static_assert(ARRAY_LEN(rows) == KEY__COUNT, "one row per key");

static void
check_good(const struct row *row)
{
	auto_buf yaml = BUF_INIT;
	auto_parsed p;
	const struct profile_value *v;

	buf_printf(&yaml, "version: 1\nname: a\n%s\n", row->yaml);
	parsed_init(&p, "t.yaml", buf_text(&yaml), yaml.len);
	cr_assert_str_eq(buf_text(&p.text), "", "%s", buf_text(&p.text));
	v = &p.doc.values[row->key];
	cr_assert_eq(v->set, true, "%s", row->yaml);
	if (profile_type_shape(profile_key(row->key)->type) == SHAPE_SCALAR) {
		cr_expect_eq(v->number, row->number, "%s", row->yaml);
		cr_expect_str_eq(v->text, row->text, "%s", row->yaml);
	} else {
		cr_expect_eq(v->count, row->number, "%s", row->yaml);
		cr_expect_str_eq(v->count > 0 ? v->items[0].text : "", row->text, "%s", row->yaml);
	}
}

static void
check_bad(const struct row *row)
{
	auto_buf yaml = BUF_INIT, first = BUF_INIT;
	auto_free char *report = NULL;

	buf_printf(&yaml, "version: 1\nname: a\n%s\n", row->bad_yaml);
	report = report_of(buf_text(&yaml));
	buf_printf(&first, "t.yaml:%s: error: %s", row->place, row->error);
	report[strcspn(report, "\n")] = '\0';
	cr_expect_str_eq(report, buf_text(&first), "\ngot    %s\nwanted %s", report,
			 buf_text(&first));
}

Test(profile_values, every_key_good_and_bad)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq((size_t)rows[i].key, i);
		check_good(&rows[i]);
		if (rows[i].bad_yaml[0] != '\0') {
			check_bad(&rows[i]);
		}
	}
}

static const struct {
	const char *text, *report;
} more[] = {
	{ "version: 2\nname: a\n", "t.yaml:1:10: error: version: wants the number 1, not '2'\n"
				   "version: 2\n"
				   "         ^\n" },
	{ "version: 1\nname: A b\n", "t.yaml:2:7: error: name: wants a name of small letters, "
				     "digits, '.', '_' and '-', at most 64, not "
				     "'A b'\n"
				     "name: A b\n"
				     "      ^~~\n" },
	{ "version: 1\nname: .a\n", "t.yaml:2:7: error: name: wants a name of small letters, "
				    "digits, '.', '_' and '-', at most 64, not "
				    "'.a'\n"
				    "name: .a\n"
				    "      ^~\n" },
	{ "version: 1\nname: a\ndescription: |\n  x\n  y\n",
	  "t.yaml:4:1: error: description: more than one line\n"
	  "  x\n"
	  "^\n" },
	{ "version: 1\nname: a\nextends: ~/../x\n",
	  "t.yaml:3:10: error: extends: '~/../x' has '..' in it\n"
	  "extends: ~/../x\n"
	  "         ^~~~~~\n" },
	{ "version: 1\nname: a\nopen: [name]\n",
	  "t.yaml:3:8: error: open: 'name' cannot be opened\n"
	  "open: [name]\n"
	  "       ^~~~\n" },
	{ "version: 1\nname: a\nopen: [limits.memroy]\n",
	  "t.yaml:3:8: error: open: wants the full name of a key, such as limits.memory, not "
	  "'limits.memroy'; did "
	  "you mean 'limits.memory'?\n"
	  "open: [limits.memroy]\n"
	  "       ^~~~~~~~~~~~~\n" },
	{ "version: 1\nname: a\nfilesystem: { read: [/] }\n",
	  "t.yaml:3:22: error: filesystem.read: '/' cannot be read: that is the whole host; name "
	  "the "
	  "directories\n"
	  "filesystem: { read: [/] }\n"
	  "                     ^\n" },
	{ "version: 1\nname: a\nfilesystem: { read: [~/] }\n",
	  "t.yaml:3:22: error: filesystem.read: '~' cannot be read: that is the whole home with "
	  "its "
	  "credentials; name the directories\n"
	  "filesystem: { read: [~/] }\n"
	  "                     ^~\n" },
	{ "version: 1\nname: a\nfilesystem: { read: [/proc/1] }\n",
	  "t.yaml:3:22: error: filesystem.read: '/proc/1' cannot be read: a sandbox has its own "
	  "/proc\n"
	  "filesystem: { read: [/proc/1] }\n"
	  "                     ^~~~~~~\n" },
	{ "version: 1\nname: a\nfilesystem: { read: [/usr, /usr/] }\n",
	  "t.yaml:3:28: error: filesystem.read: '/usr' is listed twice\n"
	  "filesystem: { read: [/usr, /usr/] }\n"
	  "                           ^~~~~\n" },
	{ "version: 1\nname: a\nfilesystem: { read: [\"/a\\nb\"] }\n",
	  "t.yaml:3:23: error: filesystem.read: a path with a newline in it\n"
	  "filesystem: { read: [\"/a\\nb\"] }\n"
	  "                      ^~~~~\n" },
	{ "version: 1\nname: a\nfilesystem: { protect: [./] }\n",
	  "t.yaml:3:25: error: filesystem.protect: './' is the whole workspace; use mode: observe\n"
	  "filesystem: { protect: [./] }\n"
	  "                        ^~\n" },
	{ "version: 1\nname: a\nfilesystem: { protect: [../x] }\n",
	  "t.yaml:3:25: error: filesystem.protect: '../x' has '..' in it\n"
	  "filesystem: { protect: [../x] }\n"
	  "                        ^~~~\n" },
	{ "version: 1\nname: a\nsuccess: [0, [1]]\n",
	  "t.yaml:3:14: error: success: wants one value per entry\n"
	  "success: [0, [1]]\n"
	  "             ^\n" },
	{ "version: 1\nname: a\nsuccess: 0\n",
	  "t.yaml:3:10: error: success: wants a list, such as [a, b]\n"
	  "success: 0\n"
	  "         ^\n" },
	{ "version: 1\nname: a\nsyscalls: { allow: [\"@init\"] }\n",
	  "t.yaml:3:22: error: syscalls.allow: wants the name of a group, such as \"@default\" (in "
	  "quotes), not "
	  "'@init'\n"
	  "syscalls: { allow: [\"@init\"] }\n"
	  "                     ^~~~~\n" },
	{ "version: 1\nname: a\nenvironment: { set: [A] }\n",
	  "t.yaml:3:21: error: environment.set: wants a map, such as { NAME: value }\n"
	  "environment: { set: [A] }\n"
	  "                    ^\n" },
	{ "version: 1\nname: a\nenvironment: { set: { A: } }\n",
	  "t.yaml:3:23: error: environment.set: 'A' has no value; write \"\" for an empty one\n"
	  "environment: { set: { A: } }\n"
	  "                      ^\n" },
	{ "version: 1\nname: a\nenvironment: { set: { LD_PRELOAD: /x } }\n",
	  "t.yaml:3:23: error: environment.set: 'LD_PRELOAD' never crosses into a sandbox: the "
	  "dynamic loader "
	  "takes libraries from it\n"
	  "environment: { set: { LD_PRELOAD: /x } }\n"
	  "                      ^~~~~~~~~~\n" },
};

Test(profile_values, more_refusals)
{
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		expect_report(more[i].text, more[i].report);
	}
}

Test(profile_values, print_is_the_way_people_write)
{
	static const struct {
		enum profile_type type;
		uint64_t number;
		const char *text;
	} prints[] = {
		{ TYPE_SIZE, 2147483648, "2GiB" },  { TYPE_DURATION, 600000, "10m" },
		{ TYPE_PERCENT, 200, "200%" },	    { TYPE_COUNT, 512, "512" },
		{ TYPE_MODE, MODE_APPLY, "apply" }, { TYPE_BOOL, 0, "false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(prints); i++) {
		auto_buf b = BUF_INIT;

		profile_value_print(&b, prints[i].type, prints[i].number);
		cr_expect_str_eq(buf_text(&b), prints[i].text);
	}
}

/* One spelling for one bound. */
Test(profile_values, bounds)
{
	static const char yaml[] = "version: 1\nname: a\nfilesystem: { hold_above: { bytes: "
				   "1024KiB, files: 7 } }\n";
	static const char wrong[] =
		"version: 1\nname: a\nfilesystem: { hold_above: { lines: 7 } }\n";
	auto_parsed p, q;
	const struct profile_value *v = &p.doc.values[KEY_FS_HOLD_ABOVE];

	parsed_init(&p, "t.yaml", yaml, sizeof(yaml) - 1);
	cr_assert_str_eq(buf_text(&p.text), "");
	cr_assert_eq(v->count, 2u);
	cr_expect_str_eq(v->items[0].value, "1MiB");
	cr_expect_eq(v->items[0].number, (uint64_t)1 << 20);
	cr_expect_str_eq(v->items[1].value, "7");
	cr_expect_eq(v->items[1].number, (uint64_t)7);
	parsed_init(&q, "t.yaml", wrong, sizeof(wrong) - 1);
	cr_expect_str_eq(
		buf_text(&q.text),
		"t.yaml:3:29: error: filesystem.hold_above: wants files with a number or bytes "
		"with a size, such as { files: 200, bytes: 64MiB }, not 'lines'\n"
		"filesystem: { hold_above: { lines: 7 } }\n"
		"                            ^~~~~\n");
}

static void
expect_cache(const char *map, const char *value, const char *path, uint32_t bits)
{
	auto_buf yaml = BUF_INIT;
	auto_parsed p;
	const struct profile_value *v = &p.doc.values[KEY_FS_CACHE];

	buf_printf(&yaml, "version: 1\nname: a\nfilesystem: { cache: { c: %s } }\n", map);
	parsed_init(&p, "t.yaml", buf_text(&yaml), yaml.len);
	cr_assert_str_eq(buf_text(&p.text), "", "%s", buf_text(&p.text));
	cr_assert_eq(v->count, 1u);
	cr_expect_str_eq(v->items[0].text, "c");
	cr_expect_str_eq(v->items[0].value, value);
	cr_expect_str_eq(v->items[0].path, path);
	cr_expect_eq(v->items[0].number, (uint64_t)bits);
}

Test(profile_values, caches)
{
	expect_cache("{ path: ~/x/./y/ }", "~/x/y (workflow)", "~/x/y", 0);
	expect_cache("{ path: /srv/x, scope: workflow, exec: false }", "/srv/x (workflow)",
		     "/srv/x", 0);
	expect_cache("{ exec: true, scope: user, path: /srv/x }", "/srv/x (user, exec)", "/srv/x",
		     CACHE_USER | CACHE_EXEC);
	expect_cache("{ path: /srv/x, exec: true }", "/srv/x (workflow, exec)", "/srv/x",
		     CACHE_EXEC);
}

Test(profile_values, caches_that_are_none)
{
	static const struct {
		const char *map, *error;
	} bad[] = {
		{ "pip: ~/x", "3:29: error: filesystem.cache: 'pip' wants a map, such as { path: "
			      "~/.cache/pip }" },
		{ "pip:", "3:24: error: filesystem.cache: 'pip' wants a map, such as { path: "
			  "~/.cache/pip }" },
		{ "pip: [~/x]", "3:29: error: filesystem.cache: 'pip' wants a map, such as { path: "
				"~/.cache/pip }" },
		{ "pip: {}", "3:24: error: filesystem.cache: 'pip' has no path" },
		{ "../x: { path: ~/x }",
		  "3:24: error: filesystem.cache: wants the name of a cache, such as pip, not "
		  "'../x'" },
		{ ".x: { path: ~/x }",
		  "3:24: error: filesystem.cache: wants the name of a cache, such as pip, not "
		  "'.x'" },
		{ "pip: { path: x }",
		  "3:37: error: filesystem.cache: wants an absolute path, or one that starts with "
		  "~/, not 'x'" },
		{ "pip: { path: ~/ }",
		  "3:37: error: filesystem.cache: '~' cannot be given: it belongs to the system or "
		  "to many; name a directory of your own" },
		{ "pip: { path: ~/x/../y }",
		  "3:37: error: filesystem.cache: '~/x/../y' has '..' in it" },
		{ "pip: { path: [~/x] }",
		  "3:37: error: filesystem.cache: path of 'pip' wants one value" },
		{ "pip: { path: }", "3:31: error: filesystem.cache: path of 'pip' wants one "
				    "value" },
		{ "pip: { path: ~/x, scope: usr }",
		  "3:49: error: filesystem.cache: scope of 'pip' is workflow or user, not 'usr'; "
		  "did you mean 'user'?" },
		{ "pip: { path: ~/x, exec: yes }",
		  "3:48: error: filesystem.cache: exec of 'pip' is false or true, not 'yes'" },
		{ "pip: { paht: ~/x }", "3:31: error: filesystem.cache: unknown key 'paht' in pip; "
					"did you mean 'path'?" },
		{ "pip: { path: ~/x, size: 1GiB }",
		  "3:42: error: filesystem.cache: unknown key 'size' in pip" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_buf yaml = BUF_INIT, want = BUF_INIT;
		auto_free char *report = NULL;

		buf_printf(&yaml, "version: 1\nname: a\nfilesystem: { cache: { %s } }\n",
			   bad[i].map);
		report = report_of(buf_text(&yaml));
		report[strcspn(report, "\n")] = '\0';
		buf_printf(&want, "t.yaml:%s", bad[i].error);
		cr_expect_str_eq(report, buf_text(&want), "\ngot    %s\nwanted %s", report,
				 buf_text(&want));
	}
}
