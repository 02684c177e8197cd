pmvx-synth 1
# Timers that wake workers, a ring of pipes, one server and its clients over loopback, and two that compute and start children.
group tasks=2 link=timer pace=open sleep=800 run=3000 send=2 rounds=500
group tasks=8 link=futex run=100000 run_long=500000 run_long_of=50 pages=200 rounds=500
group tasks=4 as=process link=pipe run=20000 send=3 tokens=3 rounds=1500
group tasks=1 as=process link=tcp call=epoll run=15000 bytes=200 send=5 to=any rounds=600
group tasks=3 as=process link=tcp run=30000 bytes=800 send=4 tokens=2 rounds=600
group tasks=2 as=process run=700000 files=500 forks=50 child_run=300000 child_pages=4 rounds=60
