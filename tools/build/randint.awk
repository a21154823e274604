# SPDX-License-Identifier: MIT
#
# randconfig never varies numbers; this prints a line for each that may be set:
#
#	awk -v seed=N -f randint.awk .config Kconfig...
#
# The same seed, .config and Kconfig files give the same lines with any awk.
# Half of the values are an end of their range, the others are as often small
# as large. An option named ..._MAX_SIZE ends at the size of a class.

function complain(what)
{
	printf "%s:%d: randint.awk cannot read: %s\n", FILENAME, FNR, what \
		>"/dev/stderr"
	failed = 1
	exit 1
}

# Park and Miller's generator: every product is exact in a double.
function random(below)
{
	state = state * 16807 % 2147483647
	return int(state / 2147483647 * below)
}

# Is it on: X, !X or nothing
function holds(condition)
{
	if (condition ~ /[^A-Z0-9_!]/)
		complain(condition)
	if (condition ~ /^!/)
		return value[substr(condition, 2)] != "y"
	return condition == "" || value[condition] == "y"
}

# What follows "if" on this line
function condition_of(line)
{
	return line ~ / if / ? substr(line, index(line, " if ") + 4) : ""
}

function number_of(word)
{
	return word ~ /^[0-9]+$/ ? word + 0 : value[word] + 0
}

# As include/mm/sizes.h: 16 apart, four to a doubling, eight above 1024
function class_size(size,	power, step)
{
	for (power = 64; power * 2 < size; power *= 2)
		;
	step = power / (power < 1024 ? 4 : 8)
	return int((size + step - 1) / step) * step
}

function choose(low, high,	roll, span)
{
	roll = random(4)
	if (roll < 2)
		return roll ? high : low
	for (span = 1; span < high - low && random(8); span *= 2)
		;
	return low + random(span < high - low ? span : high - low + 1)
}

function finish(	chosen)
{
	if (is_int && asked && ranged && name in value) {
		chosen = choose(low, high)
		if (name ~ /_MAX_SIZE$/)
			chosen = class_size(chosen)
		value[name] = chosen
		printf "CONFIG_%s=%d\n", name, chosen
	}
	name = ""
	is_int = asked = ranged = 0
}

BEGIN {
	state = seed % 2147483646 + 1
	for (i = 0; i < 20; i++)
		random(1)
}

FILENAME ~ /\.config$/ {
	if (sub(/^CONFIG_/, "")) {
		split($0, pair, "=")
		value[pair[1]] = pair[2]
	}
	next
}
/^(menu)?config /	{ finish(); name = $2 }
/^(choice|end|menu |source|if )/ { finish() }
/^\tint "/ {
	is_int = 1
	sub(/".*"/, "")
	asked = holds(condition_of($0))
}
/^\trange / && !ranged && holds(condition_of($0)) {
	low = number_of($2)
	high = number_of($3)
	ranged = 1
}
END { if (!failed) finish() }
