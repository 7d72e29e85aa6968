#compdef airlock
# SPDX-License-Identifier: Apache-2.0
# zsh: completion of airlock. What may stand where is airlock's own answer.
_airlock()
{
	local line
	local -a found

	for line in "${(@f)$(airlock complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		case $line in
		:files) _files ;;
		:dirs) _files -/ ;;
		:commands) _command_names -e ;;
		?*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
		esac
	done
	(( $#found == 0 )) || _describe airlock found
}
if [ "$funcstack[1]" = _airlock ]; then
	_airlock "$@"
else
	compdef _airlock airlock
fi
