# SPDX-License-Identifier: Apache-2.0
# Started by confine.ts as `perl launch.pl PARENT [--read PATH | --write PATH | --device PATH]... --cwd PATH -- COMMAND...`:
# becomes COMMAND, with nothing of the host in reach but the paths that are named, at the same places. Reading is a folder with all
# below it, or a file; writing is a file that exists. No network, no other process's memory, no way to gain rights.
# Without arguments it says whether this host lets it do that. x86-64 only, as the emulator that it is for.
use strict;
use warnings;
use Fcntl qw(O_CREAT O_WRONLY O_NOFOLLOW);

my %CALL = (
    mount => 165, umount2 => 166, pivot_root => 155, unshare => 272, prctl => 157, setrlimit => 160,
    close => 3, setgroups => 116, setresuid => 117, setresgid => 119, mount_setattr => 442, mknod => 133,
);
# include/uapi/linux: mount.h, sched.h, prctl.h, securebits.h
use constant {
    MS_RDONLY => 1, MS_NOSUID => 2, MS_NODEV => 4, MS_NOEXEC => 8, MS_REMOUNT => 32, MS_BIND => 4096, MS_REC => 16384,
    MS_PRIVATE => 1 << 18, MNT_DETACH => 2,
    CLONE_NEWNS => 0x20000, CLONE_NEWUSER => 0x10000000, CLONE_NEWNET => 0x40000000, CLONE_NEWIPC => 0x08000000,
    PR_SET_PDEATHSIG => 1, PR_CAPBSET_DROP => 24, PR_SET_SECUREBITS => 28, PR_SET_NO_NEW_PRIVS => 38, SECURE_NOROOT => 3,
    RLIMIT_FSIZE => 1, RLIMIT_CORE => 4, SIGKILL => 9,
};
# The most that a machine may write into one file, console and data among them: a guest that never stops talking ends.
my $LARGEST_FILE = 1 << 28;
# Owner of a machine's process where the invoker is root: one that nobody else is, and another for each machine.
my $FIRST_USER = 0x70000000;

sub call { my ($name, @arguments) = @_; return syscall($CALL{$name}, @arguments) != -1 }
sub must { my ($what, @arguments) = @_; call(@arguments) or die "$what: $!\n" }

my $base;

sub within { my ($path) = @_; return "$base$path" }

sub make_folders {
    my ($path) = @_;
    my $made = $base;
    for my $part (grep { length } split m{/}, $path) {
        $made .= "/$part";
        -d $made or mkdir $made, 0755 or die "cannot make $made: $!\n";
    }
}

sub make_file { my ($path) = @_; -e $path and return; open my $file, '>', $path or die "cannot make $path: $!\n"; }

# Puts what is at PATH there in the new root, too, without the rights in FLAGS.
sub show {
    my ($path, $flags) = @_;
    my $to = within($path);
    if (-d $path) { make_folders($path) }
    else { make_folders($path =~ s{/[^/]*$}{}r); make_file($to) }
    must("cannot mount $path", 'mount', "$path", "$to", 0, MS_BIND, 0);
    # Only adds to what the mount has: in a user namespace the rest must stay.
    my $attributes = pack 'Q4', $flags, 0, 0, 0;
    return if call('mount_setattr', -100, "$to", 0, $attributes, 32);
    must("cannot restrict $path", 'mount', 'none', "$to", 0, MS_REMOUNT | MS_BIND | $flags, 0);
}

# The user's own rights over the new namespaces, where the kernel gives them.
sub own_namespace {
    my ($user, $group) = ($> + 0, (split ' ', $))[0] + 0);
    must('no user namespace', 'unshare', CLONE_NEWUSER);
    for my $line (['setgroups', 'deny'], ['uid_map', "$user $user 1"], ['gid_map', "$group $group 1"]) {
        open my $file, '>', "/proc/self/$line->[0]" or die "$line->[0]: $!\n";
        syswrite $file, $line->[1] or die "$line->[0]: $!\n";
    }
}

# A user that nobody else is, and that this namespace knows; undefined when there is none.
sub spare_user {
    open my $map, '<', '/proc/self/uid_map' or return undef;
    my @ranges = map { [split] } <$map>;
    for my $user ($FIRST_USER + $$, 60_000 + $$ % 5_000) {
        return $user if grep { $user >= $_->[0] && $user < $_->[0] + $_->[2] } @ranges;
    }
    return undef;
}

sub enter {
    my (@used) = @_;
    own_namespace() if $> != 0;
    must('no namespaces', 'unshare', CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC);
    must('mounts are shared', 'mount', 'none', '/', 0, MS_REC | MS_PRIVATE, 0);
    # A folder that every system has, and that none of the paths goes through: what it holds is hidden by the new root.
    ($base) = grep { my $each = $_; -d $each && !grep { "$_/" =~ m{^\Q$each\E/} } @used } qw(/mnt /srv /media /opt /usr);
    defined $base or die "no folder to make a root in\n";
    must('no file system in memory', 'mount', 'none', "$base", 'tmpfs', MS_NOSUID | MS_NODEV, 'size=64k,mode=755');
    mkdir "$base/tmp" or die "no /tmp: $!\n";
    must('no /tmp', 'mount', 'none', "$base/tmp", 'tmpfs', MS_NOSUID | MS_NODEV | MS_NOEXEC, 'size=1m,mode=1777');
}

# Leaves the host's root behind, for good.
sub leave_root {
    my ($cwd) = @_;
    my $attributes = pack 'Q4', MS_RDONLY, 0, 0, 0;
    call('mount_setattr', -100, "$base", 0, $attributes, 32)
        or must('the root stays open', 'mount', 'none', "$base", 0, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, 0);
    chdir $base or die "$base: $!\n";
    must('the root cannot be changed', 'pivot_root', '.', '.');
    must('the old root stays', 'umount2', '.', MNT_DETACH);
    chdir '/' and chdir $cwd or die "$cwd: $!\n";
}

sub drop_rights {
    my ($user, @groups) = @_;
    call('prctl', PR_CAPBSET_DROP, $_, 0, 0, 0) for 0 .. 63;
    # Root without the rights of root, where it must stay.
    call('prctl', PR_SET_SECUREBITS, SECURE_NOROOT, 0, 0, 0);
    if (defined $user) {
        must('groups stay', 'setgroups', scalar @groups, pack 'L*', @groups);
        must('the group stays', 'setresgid', $user, $user, $user);
        must('the user stays', 'setresuid', $user, $user, $user);
    }
    must('rights can be gained', 'prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

# Groups that may use devices: the spare user becomes a member, as /dev/kvm is of the group kvm on most systems. Never root's own.
sub groups_of {
    my %groups = map { my ($mode, $group) = (stat $_)[2, 5]; defined $mode && $group && ($mode & 0060) == 0060 ? ($group => 1) : () } @_;
    return sort keys %groups;
}

# Whether the spare user can do what the machine has to: folders and devices of root's may be closed to all others.
sub serves {
    my ($user, $read, $write, $device, @groups) = @_;
    local ($(, $)) = ($user, "$user $user @groups");
    local $> = $user;
    return $> == $user && !grep({ !(-d $_ ? -x _ && -r _ : -r _) } @$read) && !grep({ !(-r $_ && -w _) } @$write, @$device);
}

sub limit { my ($which, $most) = @_; my $pair = pack 'Q2', $most, $most; call('setrlimit', $which, $pair) }

if (!@ARGV) {
    my $as = $> != 0 ? 'the same user' : defined spare_user() ? 'another user' : 'root without rights';
    eval { enter(); leave_root('/'); 1 } or do { print STDERR $@; exit 1 };
    print "$as\n";
    exit 0;
}

# Nothing that the invoker has open reaches the machine but 0, 1, 2 and the monitor (MONITOR_FD). What this lists it with is closed, too.
sub close_others {
    opendir my $open, '/proc/self/fd' or die "descriptors cannot be listed: $!\n";
    call('close', $_ + 0) for grep { /^\d+$/ && $_ > 3 } readdir $open;
}

my ($parent, %given) = (shift @ARGV, read => [], write => [], device => []);
my $cwd = '/';
while (@ARGV) {
    my $option = shift @ARGV;
    last if $option eq '--';
    my $value = shift @ARGV;
    if ($option eq '--cwd') { $cwd = $value }
    elsif ($option =~ /^--(read|write|device)$/) { push @{ $given{$1} }, $value }
    else { die "launch.pl: unknown option $option\n" }
}
my $done = eval {
    my $was_root = $> == 0;
    close_others();
    # Who starts runs out of memory before who watches over it.
    if (open my $score, '>', '/proc/self/oom_score_adj') { syswrite $score, '500' }
    for my $path (@{ $given{write} }) {
        sysopen my $file, $path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644 or die "$path: $!\n";
    }
    enter(map { @$_ } values %given);
    show($_, MS_RDONLY | MS_NOSUID | MS_NODEV) for @{ $given{read} };
    show($_, MS_NOSUID | MS_NODEV | MS_NOEXEC) for @{ $given{write} };
    show($_, MS_NOSUID | MS_NOEXEC) for '/dev/null', '/dev/urandom', @{ $given{device} };
    my $user = $was_root ? spare_user() : undef;
    if (defined $user) { chown $user, $user, within($_) or undef $user for @{ $given{write} } }
    leave_root($cwd);
    my @groups = groups_of(@{ $given{device} });
    if (defined $user && !serves($user, @given{qw(read write device)}, @groups)) {
        chown 0, 0, @{ $given{write} };
        undef $user;
    }
    limit(RLIMIT_FSIZE, $LARGEST_FILE);
    # Whoever started the invoker may have had it ignored.
    $SIG{XFSZ} = 'DEFAULT';
    limit(RLIMIT_CORE, 0);
    drop_rights($user, @groups);
    1;
};
$done or do { print STDERR "the machine cannot be confined: $@"; exit 126 };
# A change of user takes the bond away.
must('no bond to the controller', 'prctl', PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
exit 1 if getppid() != $parent;
exec { $ARGV[0] } @ARGV or do { print STDERR "$ARGV[0]: $!\n"; exit 127 };
