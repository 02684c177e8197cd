# SPDX-License-Identifier: Apache-2.0
# A trial's programs on the host, inside the image's root: what bpf/guest/agent/run.c does in a guest. Arguments: seed,
# deadline in ms, number of the warm-up's arguments, these, then the run's. Writes /mnt/report, a line a program, and leaves
# what the run printed in /mnt/output. It is the first process of a PID namespace: all that a step started is in it, whatever session
# or parent it gave itself, and becomes its child. So a step ends with all of that.
use strict;
use warnings;

my ($seed, $deadline_ms, $count, @words) = @ARGV;
my @warmup = splice @words, 0, $count;
# Numbers of x86-64 system calls; rusage is 18 longs: 4 of times, then 14 counts.
my ($WAIT4, $GETRUSAGE, $CLOCK_GETTIME, $PIDFD_OPEN, $MONOTONIC) = (61, 98, 228, 434, 1);

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

# What is there beside this process and threads that have ended: numbers and names.
sub others {
	$$ == 1 or die "not the first process of a PID namespace\n";
	opendir my $proc, '/proc' or die "/proc: $!\n";
	my @found;
	for my $pid (grep { /^\d+$/ && $_ != $$ } readdir $proc) {
		open my $file, '<', "/proc/$pid/stat" or next;
		my ($name, $state) = (<$file> // '') =~ /^\d+ \((.*)\) (\S)/s or next;
		push @found, $name =~ s/[^\w.:\/-]/_/gr if $state !~ /[ZX]/;
	}
	return @found;
}

# All but this process, which must be the first of its namespace: elsewhere that would be the whole host.
sub kill_all {
	$$ == 1 or die "not the first process of a PID namespace\n";
	kill 'KILL', -1;
}

# Kills all that a step left behind and waits for it, 10 s at most. Returns how much that was, what outlived it, and its names.
sub clear {
	my @left = others();
	my $until = now_ns() + 10_000_000_000;
	while (1) {
		kill_all();
		1 while waitpid(-1, 1) > 0; # WNOHANG
		last if !others() || now_ns() > $until;
		select undef, undef, undef, 0.001;
	}
	my @stuck = others();
	my %names = map { $_ => 1 } @stuck ? @stuck : @left;
	return (scalar @left, scalar @stuck, join(',', (sort keys %names)[0 .. (keys(%names) > 8 ? 7 : keys(%names) - 1)]) || '-');
}

# CPU time of all children that have been waited for, ns: user and system.
sub children_ns {
	my $usage = "\0" x 144;
	syscall($GETRUSAGE, -1, $usage) == 0 or die "getrusage: $!\n";
	my @times = unpack 'q4', $usage;
	return ($times[0] * 1_000_000_000 + $times[1] * 1000, $times[2] * 1_000_000_000 + $times[3] * 1000);
}

sub run_program {
	my ($output, @argv) = @_;
	my ($status, $usage) = ("\0" x 8, "\0" x 144);
	my ($user_before, $system_before) = children_ns();
	my $began = now_ns();
	my $child = start($output, @argv);
	my $pidfd = syscall($PIDFD_OPEN, $child, 0);
	die "pidfd_open: $!\n" if $pidfd < 0;
	vec(my $waiting = '', $pidfd, 1) = 1;
	my $ended = select $waiting, undef, undef, $deadline_ms / 1000;
	my $timed_out = $ended == 0 ? 1 : 0;
	kill_all() if $timed_out;
	syscall($WAIT4, $child, $status, 0, $usage) == $child or die "wait4: $!\n";
	my $elapsed = now_ns() - $began;
	my @left = clear();
	my ($all_user, $all_system) = children_ns();
	my $code = unpack 'l', $status;
	my $exit = $code & 127 ? 128 + ($code & 127) : $code >> 8;
	my @used = unpack 'q18', $usage;
	my ($user, $system) = ($used[0] * 1_000_000_000 + $used[1] * 1000, $used[2] * 1_000_000_000 + $used[3] * 1000);
	my @all = ($all_user - $user_before, $all_system - $system_before);
	return join ' ', $exit, $timed_out, $elapsed, $user, $system, @used[16, 17], -s $output // 0, @all, @left;
}

open my $report, '>', '/mnt/report' or die "report: $!\n";
if (@warmup) {
	my $warm = run_program('/run/warmup', @warmup);
	print $report "warm $warm\n";
	# What outlived SIGKILL would run on into the run.
	exit 0 if (split ' ', $warm)[-2];
}
print $report 'result ', run_program('/run/output', @words), "\n";
close $report or die "report: $!\n";
open my $from, '<:raw', '/run/output' or exit 0;
open my $to, '>:raw', '/mnt/output' or die "output: $!\n";
while (read $from, my $part, 1 << 16) { print $to $part or die "output: $!\n"; }
close $to or die "output: $!\n";
