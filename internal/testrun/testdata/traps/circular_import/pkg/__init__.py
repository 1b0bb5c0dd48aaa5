from pkg.a import ping
