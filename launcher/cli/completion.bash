# SPDX-License-Identifier: Apache-2.0
# bash: completion of airlock. What may stand where is airlock's own answer.
_airlock()
{
	local line word=${COMP_WORDS[COMP_CWORD]}

	[ "$word" != = ] || word=
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:files)
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
			;;
		:dirs)
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word")
			;;
		:commands) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -- "$word") ;;
		*) COMPREPLY+=("${line%%$'\t'*}") ;;
		esac
	done < <("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	[[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace
}
complete -F _airlock airlock
