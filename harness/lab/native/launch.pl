# SPDX-License-Identifier: Apache-2.0
# A trial's programs on the host, inside the image's root: what bpf/guest/agent/run.c does in a guest. Arguments: seed,
# deadline in ms, number of the warm-up's arguments, these, then the run's. Writes /mnt/report, a line a program, and leaves
# what the run printed in /mnt/output.
use strict;
use warnings;

my ($seed, $deadline_ms, $count, @words) = @ARGV;
my @warmup = splice @words, 0, $count;
# Numbers of x86-64 system calls; rusage is 18 longs: 4 of times, then 14 counts.
my ($WAIT4, $CLOCK_GETTIME, $PIDFD_OPEN, $MONOTONIC) = (61, 228, 434, 1);

%ENV = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME => '/tmp', LC_ALL => 'C',
	TERM => 'dumb', PMVX_SEED => $seed);

sub now_ns {
	my $time = "\0" x 16;
	syscall($CLOCK_GETTIME, $MONOTONIC, $time);
	my ($seconds, $ns) = unpack 'q2', $time;
	return $seconds * 1_000_000_000 + $ns;
}

sub start {
	my ($output, @argv) = @_;
	my $child = fork // die "fork: $!\n";
	return $child if $child;
	setpgrp;
	open STDIN, '<', '/dev/null' or exit 126;
	# Output stays in memory: no reader wakes up beside the workload.
	open STDOUT, '>>', $output or exit 126;
	open STDERR, '>&', \*STDOUT or exit 126;
	chdir '/tmp' or exit 126;
	{ no warnings 'exec'; exec { $argv[0] } @argv; }
	print STDERR "$argv[0]: $!\n";
	exit 127;
}

sub run_program {
	my ($output, @argv) = @_;
	my ($status, $usage) = ("\0" x 8, "\0" x 144);
	my $began = now_ns();
	my $child = start($output, @argv);
	my $pidfd = syscall($PIDFD_OPEN, $child, 0);
	die "pidfd_open: $!\n" if $pidfd < 0;
	vec(my $waiting = '', $pidfd, 1) = 1;
	my $ended = select $waiting, undef, undef, $deadline_ms / 1000;
	my $timed_out = $ended == 0 ? 1 : 0;
	kill 'KILL', -$child if $timed_out;
	syscall($WAIT4, $child, $status, 0, $usage) == $child or die "wait4: $!\n";
	my $elapsed = now_ns() - $began;
	# Whatever it left behind must not run on into the next phase.
	kill 'KILL', -$child;
	my $code = unpack 'l', $status;
	my $exit = $code & 127 ? 128 + ($code & 127) : $code >> 8;
	my @used = unpack 'q18', $usage;
	my ($user, $system) = ($used[0] * 1_000_000_000 + $used[1] * 1000, $used[2] * 1_000_000_000 + $used[3] * 1000);
	return join ' ', $exit, $timed_out, $elapsed, $user, $system, @used[16, 17], -s $output // 0;
}

open my $report, '>', '/mnt/report' or die "report: $!\n";
print $report 'warm ', run_program('/run/warmup', @warmup), "\n" if @warmup;
print $report 'result ', run_program('/run/output', @words), "\n";
close $report or die "report: $!\n";
open my $from, '<:raw', '/run/output' or exit 0;
open my $to, '>:raw', '/mnt/output' or die "output: $!\n";
while (read $from, my $part, 1 << 16) { print $to $part or die "output: $!\n"; }
close $to or die "output: $!\n";
