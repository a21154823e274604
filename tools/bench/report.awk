# SPDX-License-Identifier: MIT
#
# Reads runs as compare.sh writes them, a line "work,allocator,round,rate,peak
# KiB" each, and prints them
#
#	form=table	for people, a table for each work
#	form=csv	medians, peaks and their ratios
#	form=matrix	per work the ratios of time (column=time) or RSS
#	form=summary	per work what hakmem needs beside the others
#
# base=best: ratios to the best peer, that is to the best of all but glibc and
# hakmem, if there are others; base=first: to the first allocator of the work.

BEGIN { FS = OFS = "," }

$1 == "work" || NF < 5 { next }

!($1 in known_work) {
	known_work[$1] = 1
	works[++nr_works] = $1
}
!($2 in known_allocator) {
	known_allocator[$2] = 1
	allocators[++nr_allocators] = $2
}
$4 > 0 {
	rate[$1, $2, ++nr_runs[$1, $2]] = $4 + 0
	if ($5 > peak[$1, $2])
		peak[$1, $2] = $5 + 0
}

# Sorts list[1 ... n]
function sort(list, n,	i, j, value)
{
	for (i = 2; i <= n; i++) {
		value = list[i]
		for (j = i - 1; j && list[j] > value; j--)
			list[j + 1] = list[j]
		list[j + 1] = value
	}
}

function middle(list, n)
{
	sort(list, n)
	return (list[int((n + 1) / 2)] + list[int(n / 2) + 1]) / 2
}

function measure(work, allocator,	n, i, list)
{
	n = nr_runs[work, allocator]
	if (!n)
		return
	for (i = 1; i <= n; i++)
		list[i] = rate[work, allocator, i]
	median[work, allocator] = middle(list, n)
	best[work, allocator] = list[n]
}

function is_peer(allocator)
{
	return allocator != "glibc" && allocator != "hakmem"
}

# Sets what the ratios of this work are to
function set_base(work,		a, i, n, list)
{
	for (i = 1; i <= nr_allocators; i++) {
		a = allocators[i]
		if (base == "first" || !is_peer(a) || !nr_runs[work, a])
			continue
		list[++n] = peak[work, a]
		if (n == 1 || median[work, a] > median[work, rival[work]])
			rival[work] = a
	}
	if (n) {
		middle_peak[work] = middle(list, n)
		base_peak[work] = list[1]
		return
	}
	for (i = nr_allocators; i; i--) {
		if (nr_runs[work, allocators[i]])
			rival[work] = allocators[i]
	}
	base_peak[work] = middle_peak[work] = peak[work, rival[work]]
}

function ratio(a, b)
{
	return a && b ? sprintf("%.2f", a / b) : "-"
}

function time_ratio(work, allocator)
{
	return ratio(median[work, rival[work]], median[work, allocator])
}

function rss_ratio(work, allocator)
{
	return ratio(peak[work, allocator], base_peak[work])
}

function print_table(work,	i, a, format)
{
	printf "\n%s\n%-12s %14s %14s %6s %9s %6s\n", work, "allocator",
	       "best", "median", "time", "peak MiB", "RSS"
	for (i = 1; i <= nr_allocators; i++) {
		a = allocators[i]
		if (!nr_runs[work, a]) {
			printf "%-12s %14s\n", a, "failed"
			continue
		}
		format = median[work, a] < 1000 ? "%14.3f" : "%14.0f"
		printf "%-12s " format " " format " %6s %9s %6s\n", a,
		       best[work, a], median[work, a], time_ratio(work, a),
		       peak[work, a] ? sprintf("%.1f", peak[work, a] / 1024) : \
		       "-", rss_ratio(work, a)
	}
}

function print_csv(work,	i, a)
{
	for (i = 1; i <= nr_allocators; i++) {
		a = allocators[i]
		print work, a, best[work, a] + 0, median[work, a] + 0,
		      time_ratio(work, a), peak[work, a] + 0,
		      rss_ratio(work, a)
	}
}

function print_matrix(work,	i, line)
{
	line = work
	for (i = 1; i <= nr_allocators; i++)
		line = line OFS (column == "time" ? \
				 time_ratio(work, allocators[i]) : \
				 rss_ratio(work, allocators[i]))
	print line
}

function print_summary(work,	time, rss, beside)
{
	time = time_ratio(work, "hakmem")
	rss = rss_ratio(work, "hakmem")
	beside = ratio(peak[work, "hakmem"], middle_peak[work])
	printf "%-18s %-12s %6s %6s %6s %8s %6s\n", work, rival[work], time,
	       ratio(median[work, "glibc"], median[work, "hakmem"]), rss,
	       beside, ratio(peak[work, "hakmem"], peak[work, "glibc"])
	if (time == "-") {
		failed = failed " " work
		return
	}
	fast += time <= 0.95
	small += rss != "-" && rss <= 1
	if (time > 1.05)
		slow = slow " " work
	if (beside != "-" && beside > 1.25)
		big = big " " work
}

function print_head(	i)
{
	if (form == "csv")
		print "work,allocator,best,median,time,peak_kib,rss"
	if (form == "matrix") {
		printf "work"
		for (i = 1; i <= nr_allocators; i++)
			printf ",%s", allocators[i]
		print ""
	}
	if (form == "summary")
		printf "\n%-18s %-12s %6s %6s %6s %8s %6s\n%-31s %6s %6s " \
		       "%6s %8s %6s\n", "hakmem's", "best", "time", "time",
		       "RSS", "RSS/mid-", "RSS", "work               peer",
		       "/best", "/glibc", "/best", "dle peer", "/glibc"
}

END {
	print_head()
	for (w = 1; w <= nr_works; w++) {
		for (i = 1; i <= nr_allocators; i++)
			measure(works[w], allocators[i])
		set_base(works[w])
		if (form == "table")
			print_table(works[w])
		else if (form == "csv")
			print_csv(works[w])
		else if (form == "matrix")
			print_matrix(works[w])
		else
			print_summary(works[w])
	}
	if (form != "summary")
		exit
	printf "\ntime <= 0.95 of the best peer's: %d of %d works\n" \
	       "time > 1.05:%s\nRSS <= the best peer's: %d of %d works\n" \
	       "RSS > 1.25 of the middle peer's:%s\n", fast, nr_works,
	       slow ? slow : " none", small, nr_works, big ? big : " none"
	if (failed)
		printf "not measured:%s\n", failed
}
