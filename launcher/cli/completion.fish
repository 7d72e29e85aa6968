# SPDX-License-Identifier: Apache-2.0
# fish: completion of airlock. What may stand where is airlock's own answer.
function __airlock_complete
	set -l words (commandline -opc)
	set -l word (commandline -ct)
	for line in (airlock complete -- $words[2..-1] "$word" 2>/dev/null)
		switch $line
			case :files
				__fish_complete_path "$word"
			case :dirs
				__fish_complete_directories "$word"
			case :commands
				__fish_complete_command
			case '*'
				echo $line
		end
	end
end
complete -c airlock -f -a '(__airlock_complete)'
