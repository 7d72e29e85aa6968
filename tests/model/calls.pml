/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One idempotency key and one request: two gateways send it again and again, at once, while fronts
 * are killed at any step, the power goes, and a person resolves what is unknown. The order of steps
 * is that of launcher/cli/front_admit.c, front_key.c and front_launch.c; the moves are those of
 * launcher/workflow/states.def (tests/lint compares them).
 *
 * -DSAFE=1: the profile says retry: safe. A -DBREAK_… leaves one precaution out: tests/model/run
 * wants each of them to be found.
 */
#ifndef SAFE
#define SAFE 0
#endif
#ifndef CALLS
#define CALLS 3 /* that can be made; 0 is no call */
#endif
#define CRASHES 1

mtype = { NONE, ADMITTED, PLANNED, RUNNING, ENDED, SETTLED, UNKNOWN, RESOLVED };
mtype = { DONE, NOT_DONE, RERUN };

/* What is durable: the journal, and layers of held change sets. */
mtype state[CALLS + 1] = NONE; /* ADMITTED is not durable, and neither is which of the next two */
mtype resolution[CALLS + 1];
bool refused[CALLS + 1], held[CALLS + 1], layer[CALLS + 1];

/* What follows the journal: lost, or not, when the power goes. */
byte key;
bool same_boot = true; /* the ledger is of this boot */

bool alive[CALLS + 1]; /* a front holds the call's file in running/ */
bool ran[CALLS + 1];   /* the tool was started: it may have acted */
byte made, crashes, powers, resolved;

/* Whether a request that has the key of call c may run: it ran nothing, or may run again. */
#define has_record(c) (state[c] != NONE && state[c] != ADMITTED)
#define ran_nothing(c) (!has_record(c) || (state[c] == SETTLED && refused[c]))
#define may_again(c)                                                                               \
	((state[c] == UNKNOWN && SAFE) || (state[c] == RESOLVED && resolution[c] == RERUN))
#ifndef BREAK_RECHECK
#define may_take(c) (ran_nothing(c) || may_again(c)) /* asked once more, under the ledger */
#else
#define may_take(c) true
#endif

#define move(c, what, from, to) \
	assert(state[c] == from); state[c] = to

/* The loops below are one step each; what they count in is 0 again, for fewer states. */
byte i;

inline last_with_record(ret)
{
	d_step {
		ret = 0;
		for (i : 1 .. CALLS) {
			if
			:: has_record(i) -> ret = i
			:: else
			fi
		}
		i = 0
	}
}

/* The ledger, where it is of another boot, is made again from the journal. */
inline rebuild()
{
	if
#ifndef BREAK_BOOT
	:: !same_boot ->
		last_with_record(key);
		same_boot = true
#endif
	:: else
	fi
}

/* Never two runs of one key, unless the one before is unknown and may run again. */
inline check_runs(c)
{
	for (i : 1 .. CALLS) {
		assert(i == c || !ran[i] || may_again(i))
	}
	i = 0
}

/* A front that is killed: what had a record is unknown, what had none never was. */
inline die(c)
{
	if
	:: state[c] == ADMITTED -> state[c] = NONE
	:: state[c] == PLANNED -> move(c, crash, PLANNED, UNKNOWN)
	:: state[c] == RUNNING -> move(c, crash, RUNNING, UNKNOWN)
	:: state[c] == ENDED -> move(c, crash, ENDED, UNKNOWN)
	:: else
	fi;
	alive[c] = false
}

/* From a key that is taken to the answer. Whoever is killed or loses its power leaves at once. */
inline call(c)
{
	if
	:: atomic {
		alive[c] && state[c] == ADMITTED ->
		move(c, record, ADMITTED, PLANNED)
	}
	:: !alive[c] -> goto gone
	fi;
	if
	:: atomic {
		alive[c] && state[c] == PLANNED ->
		refused[c] = true;
		move(c, refuse, PLANNED, SETTLED)
	};
		goto settled
	:: atomic {
		alive[c] && state[c] == PLANNED ->
		move(c, go, PLANNED, RUNNING);
		ran[c] = true;
		check_runs(c)
	}
	:: !alive[c] -> goto gone
	fi;
	if
	:: atomic {
		alive[c] && state[c] == RUNNING ->
		move(c, end, RUNNING, ENDED)
	}
	:: !alive[c] -> goto gone
	fi;
	if
	:: held[c] = true /* the layer is durable before the outcome says so */
	:: skip
	fi;
	if
	:: !alive[c] -> goto gone
#ifndef BREAK_LAYER
	:: alive[c] && state[c] == ENDED && held[c] -> layer[c] = true
	:: alive[c] && state[c] == ENDED && !held[c]
#else
	:: alive[c] && state[c] == ENDED
#endif
	fi;
	if
	:: atomic {
		alive[c] && state[c] == ENDED ->
		move(c, outcome, ENDED, SETTLED);
		assert(!held[c] || layer[c])
	}
	:: !alive[c] -> goto gone
	fi
}

proctype Gateway()
{
	byte c, used, asked;

	do
	:: made < CALLS ->
again:
		/* the ledger, and with it the key */
		atomic {
			rebuild();
			used = key;
			if
			:: (used == 0 || (used == asked && may_take(used))) && made < CALLS ->
				made++;
				c = made;
				state[c] = ADMITTED;
				alive[c] = true;
				key = c
			:: (used == 0 || (used == asked && may_take(used))) && made == CALLS -> goto gone
			:: else
			fi
		}
		if
		:: c != 0 ->
			call(c);
settled:
			/* the answer: nobody gets one that is not durable */
			assert(state[c] == SETTLED);
			alive[c] = false;
			goto gone
		:: else
		fi;
		/* without the ledger: is it running? what became of it? */
#ifndef BREAK_RUNNING
		if
		:: alive[used] -> goto gone /* in progress */
		:: else
		fi;
#endif
		if
		:: ran_nothing(used) || may_again(used) -> asked = used
		:: else -> goto gone /* replayed, or refused */
		fi;
		goto again;
gone:
		c = 0;
		used = 0;
		asked = 0
	:: else -> break
	od
}

proctype Killer()
{
	byte c;

	do
	:: atomic {
		crashes < CRASHES ->
		crashes++;
		select(c : 1 .. CALLS);
		if
		:: alive[c] -> die(c)
		:: else
		fi;
		c = 0
	}
	:: atomic {
		powers < 1 ->
		powers++;
		for (c : 1 .. CALLS) {
			if
			:: alive[c] -> die(c)
			:: else
			fi
		}
		c = 0;
		same_boot = false;
		if
		:: key = 0 /* it was not synced */
		:: skip
		fi
	}
	:: break
	od
}

proctype Person()
{
	byte c;

	do
	:: atomic {
		resolved < CALLS ->
		resolved++;
		select(c : 1 .. CALLS);
		rebuild();
		if
#ifndef BREAK_RESOLVE
		:: state[c] == UNKNOWN && !alive[c] && key == c ->
#else
		:: state[c] == UNKNOWN && !alive[c] ->
#endif
			move(c, resolve, UNKNOWN, RESOLVED);
			if
			:: resolution[c] = DONE
			:: resolution[c] = NOT_DONE
			:: resolution[c] = RERUN
			fi
		:: else
		fi;
		c = 0
	}
	:: break
	od
}

init {
	atomic {
		run Gateway();
		run Gateway();
		run Killer();
		run Person()
	}
}
