# SPDX-License-Identifier: MIT
#
# awk -v library=PATH -f callgrind.awk FILE: of callgrind's FILE, print the
# instructions spent in all functions of the library, in malloc and in free.
# What these functions call in other libraries does not count.
#
# callgrind knows no object for what is in sections of its own, as tcmalloc's
# fast paths are: it says "???". Those with a name are the library's, and those
# with an address above 16 MiB; the program and its PLT lie below.

# "(7) name" tells a name the first time, "(7)" recalls it.
function name_of(text, names,	id)
{
	id = text
	sub(/ .*/, "", id)
	if (id != text)
		names[id] = substr(text, length(id) + 2)
	return names[id]
}

/^ob=/	{ object = name_of(substr($0, 4), objects) }
/^cob=/	{ name_of(substr($0, 5), objects) }
/^fn=/	{ fn = name_of(substr($0, 4), functions) }
/^cfn=/	{ name_of(substr($0, 5), functions) }
/^calls=/ {
	# The line after it has what the callee spent.
	getline
	next
}

function is_ours(	address)
{
	if (object != "???")
		return object == library
	address = fn
	return !sub(/^0x0*/, "", address) || length(address) > 6
}

/^[0-9+*-]/ && is_ours() {
	all += $2
	by_name[fn] += $2
}

END { printf "%.0f %.0f %.0f\n", all, by_name["malloc"], by_name["free"] }
