/* SPDX-License-Identifier: Apache-2.0 */
/* A call, and what it is in OCSF 1.8.0 and in OTLP/JSON: golden, for test_view_attributes.c. */
#ifndef AIRLOCK_TEST_TELEMETRY_GOLDEN_H
#define AIRLOCK_TEST_TELEMETRY_GOLDEN_H

/* clang-format off */
#define TELEMETRY_PLANNED \
	"{\"actor\":{\"gid\":1000,\"groups\":[],\"uid\":1000},\"argv\":[\"python" \
	"3\",\"make it.py\"],\"call\":\"0198c2a4-7f3e-7abc-8def-0123456789a" \
	"b\",\"context\":{\"gen_ai.agent.id\":\"agent-7\",\"gen_ai.conversati" \
	"on.id\":\"talk-1\",\"other\":\"not told\"},\"cwd\":\"/home/u/ws\",\"key\"" \
	":\"step-4\",\"mode\":\"propose\",\"node\":{\"airlock\":\"0.1.0\",\"boot_i" \
	"d\":\"7b2c25c7-ae7a-46a2-ad28-0e127d922fbe\",\"kernel\":\"6.1.0\"}," \
	"\"policy\":{\"decision\":\"allow\",\"digest\":null,\"rules\":[]},\"prof" \
	"ile\":{\"digest\":\"3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c" \
	"3c3c3c3c3c3c3c3c3c3c\",\"name\":\"python\",\"source\":\"/etc/airlock" \
	"/profiles/python.yaml\"},\"seq\":4,\"t0\":1795648976642,\"tool\":\"/" \
	"usr/bin/python3\",\"trace\":\"00-0af7651916cd43dd8448eb211c80319" \
	"c-b7ad6b7169203331-01\",\"workflow\":\"0198c2a4-0000-7000-8000-0" \
	"00000000001\",\"workflow_name\":\"local\"}"

#define TELEMETRY_OUTCOME \
	"{\"changes\":{\"created\":1,\"deleted\":0,\"items\":[],\"modified\":0}" \
	",\"denials\":[{\"count\":3,\"hint\":\"grant @debug\",\"kind\":\"syscall" \
	"\",\"rule\":\"python.yaml:14\",\"what\":\"ptrace\",\"why\":\"it reads ot" \
	"her processes\"},{\"count\":1,\"hint\":\"raise limits.pids\",\"kind\"" \
	":\"limit\",\"rule\":\"--limit pids=40\",\"what\":\"pids\",\"why\":\"\"}],\"" \
	"exit\":3,\"reason\":\"exit 3 is not in the profile's success\",\"s" \
	"ettled\":\"held\",\"signal\":null,\"t1\":1795648977001,\"verdict\":\"f" \
	"ailed\"}"

#define TELEMETRY_OCSF_GOLDEN \
	"{\"action_id\":1,\"activity_id\":1,\"actor\":{\"user\":{\"uid\":\"1000\"" \
	"}},\"category_uid\":1,\"class_uid\":1007,\"device\":{\"boot_uid\":\"7" \
	"b2c25c7-ae7a-46a2-ad28-0e127d922fbe\",\"os\":{\"kernel_release\":" \
	"\"6.1.0\",\"name\":\"Linux\",\"type_id\":200},\"type_id\":0},\"disposit" \
	"ion_id\":1,\"launch_type_id\":1,\"message\":\"started: python3 'ma" \
	"ke it.py', profile python\",\"metadata\":{\"correlation_uid\":\"01" \
	"98c2a4-0000-7000-8000-000000000001\",\"product\":{\"name\":\"airlo" \
	"ck\",\"vendor_name\":\"airlock\",\"version\":\"0.1.0\"},\"profiles\":[\"" \
	"security_control\"],\"uid\":\"0198c2a4-7f3e-7abc-8def-0123456789" \
	"ab/planned\",\"version\":\"1.8.0\"},\"policy\":{\"name\":\"python\",\"ui" \
	"d\":\"3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c" \
	"3c3c3c3c\"},\"process\":{\"cmd_line\":\"python3 'make it.py'\",\"cre" \
	"ated_time\":1795648976642,\"file\":{\"name\":\"python3\",\"path\":\"/u" \
	"sr/bin/python3\",\"type_id\":1},\"name\":\"python3\",\"path\":\"/usr/b" \
	"in/python3\",\"sandbox\":\"airlock\",\"uid\":\"0198c2a4-7f3e-7abc-8d" \
	"ef-0123456789ab\",\"working_directory\":\"/home/u/ws\"},\"severity" \
	"_id\":1,\"status_id\":1,\"time\":1795648976642,\"type_uid\":100701," \
	"\"unmapped\":{\"airlock\":{\"log_index\":40,\"mode\":\"propose\",\"reco" \
	"rd_digest\":\"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1" \
	"a1a1a1a1a1a1a1a1\",\"workflow_name\":\"local\"}}}\n{\"action_id\":2," \
	"\"activity_id\":1,\"category_uid\":2,\"class_uid\":2004,\"count\":3," \
	"\"device\":{\"boot_uid\":\"7b2c25c7-ae7a-46a2-ad28-0e127d922fbe\"," \
	"\"os\":{\"kernel_release\":\"6.1.0\",\"name\":\"Linux\",\"type_id\":200}" \
	",\"type_id\":0},\"disposition_id\":2,\"end_time\":1795648977001,\"e" \
	"vidences\":[{\"process\":{\"cmd_line\":\"python3 'make it.py'\",\"na" \
	"me\":\"python3\",\"uid\":\"0198c2a4-7f3e-7abc-8def-0123456789ab\"}}" \
	"],\"finding_info\":{\"analytic\":{\"name\":\"python.yaml:14\",\"type_" \
	"id\":1},\"created_time\":1795648977001,\"title\":\"denied: syscall" \
	" ptrace\",\"uid\":\"0198c2a4-7f3e-7abc-8def-0123456789ab/denial/" \
	"0\"},\"message\":\"ptrace was denied by python.yaml:14: it reads" \
	" other processes\",\"metadata\":{\"correlation_uid\":\"0198c2a4-00" \
	"00-7000-8000-000000000001\",\"product\":{\"name\":\"airlock\",\"vend" \
	"or_name\":\"airlock\",\"version\":\"0.1.0\"},\"profiles\":[\"security_" \
	"control\"],\"uid\":\"0198c2a4-7f3e-7abc-8def-0123456789ab/denial" \
	"/0\",\"version\":\"1.8.0\"},\"policy\":{\"name\":\"python\",\"uid\":\"3c3c" \
	"3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c" \
	"\"},\"remediation\":{\"desc\":\"grant @debug\"},\"severity_id\":2,\"st" \
	"art_time\":1795648976642,\"status_id\":1,\"time\":1795648977001,\"" \
	"type_uid\":200401,\"unmapped\":{\"airlock\":{\"mode\":\"propose\",\"re" \
	"cord_digest\":\"b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2" \
	"b2b2b2b2b2b2b2b2b2\",\"workflow_name\":\"local\"}}}\n{\"action_id\":" \
	"2,\"activity_id\":1,\"category_uid\":2,\"class_uid\":2004,\"device\"" \
	":{\"boot_uid\":\"7b2c25c7-ae7a-46a2-ad28-0e127d922fbe\",\"os\":{\"k" \
	"ernel_release\":\"6.1.0\",\"name\":\"Linux\",\"type_id\":200},\"type_i" \
	"d\":0},\"disposition_id\":2,\"end_time\":1795648977001,\"evidences" \
	"\":[{\"process\":{\"cmd_line\":\"python3 'make it.py'\",\"name\":\"pyt" \
	"hon3\",\"uid\":\"0198c2a4-7f3e-7abc-8def-0123456789ab\"}}],\"findi" \
	"ng_info\":{\"analytic\":{\"name\":\"--limit pids=40\",\"type_id\":1}," \
	"\"created_time\":1795648977001,\"title\":\"denied: limit pids\",\"u" \
	"id\":\"0198c2a4-7f3e-7abc-8def-0123456789ab/denial/1\"},\"messag" \
	"e\":\"pids was denied by --limit pids=40\",\"metadata\":{\"correla" \
	"tion_uid\":\"0198c2a4-0000-7000-8000-000000000001\",\"product\":{" \
	"\"name\":\"airlock\",\"vendor_name\":\"airlock\",\"version\":\"0.1.0\"}," \
	"\"profiles\":[\"security_control\"],\"uid\":\"0198c2a4-7f3e-7abc-8d" \
	"ef-0123456789ab/denial/1\",\"version\":\"1.8.0\"},\"policy\":{\"name" \
	"\":\"python\",\"uid\":\"3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c" \
	"3c3c3c3c3c3c3c3c3c3c3c\"},\"remediation\":{\"desc\":\"raise limits" \
	".pids\"},\"severity_id\":2,\"start_time\":1795648976642,\"status_i" \
	"d\":1,\"time\":1795648977001,\"type_uid\":200401,\"unmapped\":{\"air" \
	"lock\":{\"mode\":\"propose\",\"record_digest\":\"b2b2b2b2b2b2b2b2b2b" \
	"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2\",\"workflow_nam" \
	"e\":\"local\"}}}\n{\"activity_id\":2,\"actor\":{\"user\":{\"uid\":\"1000\"" \
	"}},\"category_uid\":1,\"class_uid\":1007,\"device\":{\"boot_uid\":\"7" \
	"b2c25c7-ae7a-46a2-ad28-0e127d922fbe\",\"os\":{\"kernel_release\":" \
	"\"6.1.0\",\"name\":\"Linux\",\"type_id\":200},\"type_id\":0},\"exit_cod" \
	"e\":3,\"message\":\"failed, exit 3; nothing was committed: 1 cha" \
	"nge is held, as the tool did not succeed\",\"metadata\":{\"corre" \
	"lation_uid\":\"0198c2a4-0000-7000-8000-000000000001\",\"product\"" \
	":{\"name\":\"airlock\",\"vendor_name\":\"airlock\",\"version\":\"0.1.0\"" \
	"},\"profiles\":[\"security_control\"],\"uid\":\"0198c2a4-7f3e-7abc-" \
	"8def-0123456789ab/outcome\",\"version\":\"1.8.0\"},\"process\":{\"cm" \
	"d_line\":\"python3 'make it.py'\",\"created_time\":1795648976642," \
	"\"file\":{\"name\":\"python3\",\"path\":\"/usr/bin/python3\",\"type_id\"" \
	":1},\"name\":\"python3\",\"path\":\"/usr/bin/python3\",\"sandbox\":\"ai" \
	"rlock\",\"terminated_time\":1795648977001,\"uid\":\"0198c2a4-7f3e-" \
	"7abc-8def-0123456789ab\",\"working_directory\":\"/home/u/ws\"},\"s" \
	"everity_id\":1,\"status_code\":\"failed\",\"status_detail\":\"exit 3" \
	" is not in the profile's success\",\"status_id\":2,\"time\":17956" \
	"48977001,\"type_uid\":100702,\"unmapped\":{\"airlock\":{\"log_index" \
	"\":41,\"mode\":\"propose\",\"record_digest\":\"b2b2b2b2b2b2b2b2b2b2b" \
	"2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2\",\"settled\":\"held" \
	"\",\"workflow_name\":\"local\"}}}\n"

#define TELEMETRY_OTLP_GOLDEN \
	"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service" \
	".name\",\"value\":{\"stringValue\":\"airlock\"}},{\"key\":\"service.ve" \
	"rsion\",\"value\":{\"stringValue\":\"0.1.0\"}}]},\"schemaUrl\":\"https" \
	"://opentelemetry.io/schemas/1.41.0\",\"scopeSpans\":[{\"schemaUr" \
	"l\":\"https://opentelemetry.io/schemas/1.41.0\",\"scope\":{\"name\"" \
	":\"airlock\",\"version\":\"0.1.0\"},\"spans\":[{\"attributes\":[{\"key\"" \
	":\"airlock.call.id\",\"value\":{\"stringValue\":\"0198c2a4-7f3e-7ab" \
	"c-8def-0123456789ab\"}},{\"key\":\"airlock.decision\",\"value\":{\"s" \
	"tringValue\":\"allow\"}},{\"key\":\"airlock.log.index\",\"value\":{\"i" \
	"ntValue\":\"41\"}},{\"key\":\"airlock.mode\",\"value\":{\"stringValue\"" \
	":\"propose\"}},{\"key\":\"airlock.profile\",\"value\":{\"stringValue\"" \
	":\"python\"}},{\"key\":\"airlock.profile.digest\",\"value\":{\"string" \
	"Value\":\"3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c" \
	"3c3c3c3c3c3c\"}},{\"key\":\"airlock.record.digest\",\"value\":{\"str" \
	"ingValue\":\"b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b" \
	"2b2b2b2b2b2b2b2\"}},{\"key\":\"airlock.settled\",\"value\":{\"string" \
	"Value\":\"held\"}},{\"key\":\"airlock.verdict\",\"value\":{\"stringVal" \
	"ue\":\"failed\"}},{\"key\":\"airlock.workflow.id\",\"value\":{\"string" \
	"Value\":\"0198c2a4-0000-7000-8000-000000000001\"}},{\"key\":\"airl" \
	"ock.workflow.name\",\"value\":{\"stringValue\":\"local\"}},{\"key\":\"" \
	"error.type\",\"value\":{\"stringValue\":\"failed\"}},{\"key\":\"gen_ai" \
	".agent.id\",\"value\":{\"stringValue\":\"agent-7\"}},{\"key\":\"gen_ai" \
	".conversation.id\",\"value\":{\"stringValue\":\"talk-1\"}},{\"key\":\"" \
	"gen_ai.operation.name\",\"value\":{\"stringValue\":\"execute_tool\"" \
	"}},{\"key\":\"gen_ai.tool.call.id\",\"value\":{\"stringValue\":\"step" \
	"-4\"}},{\"key\":\"gen_ai.tool.name\",\"value\":{\"stringValue\":\"pyth" \
	"on3\"}},{\"key\":\"gen_ai.tool.type\",\"value\":{\"stringValue\":\"fun" \
	"ction\"}},{\"key\":\"process.executable.name\",\"value\":{\"stringVa" \
	"lue\":\"python3\"}},{\"key\":\"process.exit.code\",\"value\":{\"intVal" \
	"ue\":\"3\"}}],\"endTimeUnixNano\":\"1795648977001000000\",\"events\":" \
	"[{\"attributes\":[{\"key\":\"airlock.denial.count\",\"value\":{\"intV" \
	"alue\":\"3\"}},{\"key\":\"airlock.denial.kind\",\"value\":{\"stringVal" \
	"ue\":\"syscall\"}},{\"key\":\"airlock.denial.rule\",\"value\":{\"strin" \
	"gValue\":\"python.yaml:14\"}},{\"key\":\"airlock.denial.what\",\"val" \
	"ue\":{\"stringValue\":\"ptrace\"}}],\"name\":\"airlock.denial\",\"time" \
	"UnixNano\":\"1795648977001000000\"},{\"attributes\":[{\"key\":\"airl" \
	"ock.denial.count\",\"value\":{\"intValue\":\"1\"}},{\"key\":\"airlock." \
	"denial.kind\",\"value\":{\"stringValue\":\"limit\"}},{\"key\":\"airloc" \
	"k.denial.rule\",\"value\":{\"stringValue\":\"--limit pids=40\"}},{\"" \
	"key\":\"airlock.denial.what\",\"value\":{\"stringValue\":\"pids\"}}]," \
	"\"name\":\"airlock.denial\",\"timeUnixNano\":\"1795648977001000000\"" \
	"}],\"kind\":1,\"name\":\"execute_tool python3\",\"parentSpanId\":\"b7" \
	"ad6b7169203331\",\"spanId\":\"8def0123456789ab\",\"startTimeUnixNa" \
	"no\":\"1795648976642000000\",\"status\":{\"code\":2,\"message\":\"fail" \
	"ed, exit 3; nothing was committed: 1 change is held, as the " \
	"tool did not succeed\"},\"traceId\":\"0af7651916cd43dd8448eb211c" \
	"80319c\"}]}]}]}\n"
/* clang-format on */

#endif
