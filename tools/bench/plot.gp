# SPDX-License-Identifier: MIT
#
# gnuplot -e "matrix = FILE; column = 'time' or 'rss'" plot.gp: bars per work
# and allocator from report.awk's form=matrix, as SVG on standard output

set datafile separator ","
set datafile missing "-"
stats matrix skip 1 using 0 nooutput
works = STATS_records
allocators = STATS_columns - 1

set terminal svg size 140 + 46 * works, 480 font "sans,11" background "white"
set title column eq "time" ? \
	"Median time, best peer = 1 (less is better)" : \
	"Peak RSS, best peer = 1 (less is better)"
set style data histograms
set style histogram clustered gap 1.5
set style fill solid 0.85 noborder
set logscale y 2
set yrange [0.25:16]
set grid ytics
set xtics rotate by -50 nomirror
set key outside top horizontal
plot for [i = 2:allocators + 1] matrix using i:xtic(1) \
	title columnheader(i), 1 with lines lc "black" notitle
