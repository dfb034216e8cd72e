package codec_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// kinds are beginnings of the logs that programs write: their format, how many
// records they are, and time and level of the first and the last.
var kinds = []struct {
	name, format string
	records      int
	first, last  string
	text         string
}{
	{"iis w3c", "w3c", 3, "2026-11-27T07:00:00.000Z", "2026-11-27T07:00:02.000Z", `#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-11-27 07:00:00
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken
2026-11-27 07:00:00 10.0.0.5 GET /default.htm - 80 - 192.168.1.10 Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64) - 200 0 0 15
2026-11-27 07:00:01 10.0.0.5 POST /api/login user=a 443 DOMAIN\ann 192.168.1.11 curl/8.0 https://example.com/ 401 2 5 203
2026-11-27 07:00:02 10.0.0.5 GET /missing.png - 80 - 192.168.1.12 - - 404 0 2 3
#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-11-27 07:01:00
#Fields: date time c-ip cs-method cs-uri-stem sc-status time-taken
2026-11-27 07:01:00 192.168.1.10 GET /a 200 7
2026-11-27 07:01:05 192.168.1.12 GET /b 500 70
`},
	{"cloudfront", "w3c", 3, "2026-11-27T07:00:00.000Z", "2026-11-27T07:01:10.000Z", "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) time-taken\n2026-11-27\t07:00:00\tFRA56-C1\t1045\t203.0.113.5\tGET\td111.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(X11)\t0.001\n2026-11-27\t07:00:10\tFRA56-C1\t504\t203.0.113.6\tGET\td111.cloudfront.net\t/x.js\t403\thttps://e.com/\tcurl/8\t0.020\n2026-11-27\t07:01:10\tFRA56-C1\t99\t203.0.113.6\tGET\td111.cloudfront.net\t/y.js\t200\t-\tcurl/8\t0.3\n"},
	{"zeek conn", "zeek", 2, "2026-11-27T07:00:00.123Z", "2026-11-27T07:00:01.500Z", "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2026-11-27-07-00-00\n#fields\tts\tuid\tid.orig_h\tid.resp_p\tproto\tlocal_orig\n#types\ttime\tstring\taddr\tport\tenum\tbool\n1795762800.123456\tCa\t10.0.0.1\t53\tudp\tT\n1795762801.5\tCb\t10.0.0.2\t443\ttcp\t-\n#close\t2026-11-27-08-00-00\n"},
	{"apache error24", "plain", 3, "2026-11-27T07:00:00.123Z notice", "2026-11-27T07:01:00.000Z debug", `[Fri Nov 27 07:00:00.123456 2026] [mpm_event:notice] [pid 1234:tid 139] AH00489: Apache/2.4.57 (Debian) configured -- resuming normal operations
[Fri Nov 27 07:00:00.223456 2026] [core:notice] [pid 1234:tid 139] AH00094: Command line: '/usr/sbin/apache2'
[Fri Nov 27 07:01:00.000000 2026] [proxy_http:debug] [pid 1236:tid 141] mod_proxy_http.c(60): canon
`},
	{"apache error22", "plain", 3, "2026-11-27T07:00:00.000Z error", "2026-11-27T07:00:02.000Z warn", `[Fri Nov 27 07:00:00 2026] [error] [client 10.0.0.1] File does not exist: /var/www/favicon.ico
[Fri Nov 27 07:00:01 2026] [notice] caught SIGTERM, shutting down
[Fri Nov 27 07:00:02 2026] [warn] RSA server certificate is a CA
`},
	{"mysql8", "plain", 3, "2026-11-27T07:00:00.123Z System", "2026-11-27T07:00:03.000Z ERROR", `2026-11-27T07:00:00.123456Z 0 [System] [MY-010116] [Server] /usr/sbin/mysqld (mysqld 8.0.35) starting as process 1
2026-11-27T07:00:00.323456Z 1 [System] [MY-013576] [InnoDB] InnoDB initialization has started.
2026-11-27T07:00:03.000000Z 0 [ERROR] [MY-010262] [Server] Can't start server: Bind on TCP/IP port: Address already in use
`},
	{"mariadb", "plain", 3, "2026-11-27T07:00:00.000Z Note", "2026-11-27T10:00:02.000Z ERROR", `2026-11-27  7:00:00 0 [Note] Starting MariaDB 10.11.4-MariaDB source revision 123 as process 1
2026-11-27  7:00:01 0 [Warning] Aborted connection 3 to db: 'unconnected' user: 'root'
2026-11-27 10:00:02 0 [ERROR] InnoDB: Unable to lock ./ibdata1 error: 11
`},
	{"klog", "plain", 3, "2026-11-27T07:00:00.123Z info", "2026-11-27T07:00:03.123Z fatal", `I1127 07:00:00.123456       1 main.go:100] "Starting controller" version="v1.30"
W1127 07:00:01.123456       1 reflector.go:324] failed to list *v1.Pod: Unauthorized
F1127 07:00:03.123456       1 main.go:33] cannot go on
`},
	{"logcat threadtime", "plain", 3, "", "2026-11-27T07:00:03.000Z verbose", `--------- beginning of main
11-27 07:00:00.123  1234  1250 I ActivityManager: Start proc 4321:com.example/u0a1 for activity
11-27 07:00:03.000  4321  4321 V Foo: verbose
`},
	{"logcat brief", "plain", 3, "info", "error", `I/ActivityManager( 1234): Start proc 4321:com.example for activity
D/dalvikvm( 4321): GC_CONCURRENT freed 1K
E/AndroidRuntime( 4321): FATAL EXCEPTION: main
`},
	{"logcat time", "plain", 3, "2026-11-27T07:00:00.123Z info", "2026-11-27T07:00:01.223Z error", `11-27 07:00:00.123 I/ActivityManager( 1234): Start proc 4321:com.example for activity
11-27 07:00:00.223 D/dalvikvm( 4321): GC_CONCURRENT freed 1K
11-27 07:00:01.223 E/AndroidRuntime( 4321): FATAL EXCEPTION: main
`},
	{"postgres", "plain", 3, "2026-11-27T07:00:00.123Z LOG", "2026-11-27T07:01:06.123Z PANIC", `2026-11-27 07:00:00.123 UTC [1] LOG:  database system is ready to accept connections
2026-11-27 07:00:01.123 UTC [71] ERROR:  relation "foo" does not exist at character 15
2026-11-27 07:01:06.123 UTC [72] PANIC:  could not write to file
`},
	{"redis", "plain", 3, "2026-11-27T07:00:00.123Z warning", "2026-11-27T07:01:02.125Z notice", `1:C 27 Nov 2026 07:00:00.123 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo
1:C 27 Nov 2026 07:00:00.123 # Redis version=7.2.3, bits=64, commit=00000000, modified=0, pid=1, just started
12:S 27 Nov 2026 07:01:02.125 * MASTER <-> REPLICA sync started
`},
	{"syslog pri", "syslog", 3, "2026-11-27T07:00:00.000Z crit", "2026-11-27T07:00:03.003Z notice", `<34>Nov 27 07:00:00 web1 su: 'su root' failed
<13>Nov 27 07:00:01 web1 app[12]: hello
<165>1 2026-11-27T07:00:03.003Z web1 evntslog 42 ID47 - m
`},
	{"syslog iso nopid", "syslog", 3, "2026-11-27T06:00:00.123Z", "2026-11-27T06:01:02.123Z", `2026-11-27T07:00:00.123456+01:00 web1 rsyslogd: [origin software="rsyslogd" swVersion="8.2302.0"] start
2026-11-27T07:00:01.123456+01:00 web1 postfix/smtpd: connect from unknown[10.0.0.1]
2026-11-27T07:01:02.123456+01:00 web1 CRON: (root) CMD (true)
`},
	{"cisco ios", "plain", 3, "2026-03-01T18:46:11.000Z notice", "2026-03-01T18:48:11.999Z info", `*Mar  1 18:46:11: %SYS-5-CONFIG_I: Configured from console by vty2 (10.34.195.36)
*Mar  1 18:46:12.123: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up
.Mar  1 18:48:11.999: %SEC-6-IPACCESSLOGP: list 101 denied tcp
`},
	{"cisco asa", "plain", 3, "2026-11-27T07:00:00.000Z info", "2026-11-27T07:01:01.000Z alert", `Nov 27 2026 07:00:00: %ASA-6-302013: Built outbound TCP connection 1 for outside:1.2.3.4/443
Nov 27 2026 07:00:01: %ASA-4-106023: Deny tcp src outside:1.2.3.4/1 dst inside:10.0.0.1/22 by access-group "x"
Nov 27 2026 07:01:01: %ASA-1-104001: (Secondary) Switching to ACTIVE
`},
	{"spring", "plain", 3, "2026-11-27T06:00:00.123Z INFO", "2026-11-27T06:01:01.123Z ERROR", `2026-11-27T07:00:00.123+01:00  INFO 1234 --- [           main] com.example.App                          : Starting App using Java 17
2026-11-27T07:00:01.123+01:00  WARN 1234 --- [nio-8080-exec-1] o.h.engine.jdbc.spi.SqlExceptionHelper   : SQL Error: 0, SQLState: 08001
2026-11-27T07:01:01.123+01:00 ERROR 1234 --- [nio-8080-exec-2] o.a.c.c.C.[.[.[/].[dispatcherServlet]    : Servlet.service() threw exception
`},
	{"tomcat", "plain", 3, "2026-11-27T07:00:00.123Z INFO", "2026-11-27T07:00:03.123Z FINE", `27-Nov-2026 07:00:00.123 INFO [main] org.apache.catalina.startup.VersionLoggerListener.log Server version name: Apache Tomcat/9.0.80
27-Nov-2026 07:00:01.123 SEVERE [main] org.apache.catalina.core.StandardContext.startInternal One or more listeners failed
27-Nov-2026 07:00:03.123 FINE [main] org.apache.x y
`},
	{"go log", "plain", 3, "2026-11-27T07:00:00.000Z", "2026-11-27T07:01:01.000Z", `2026/11/27 07:00:00 listening on :8080
2026/11/27 07:00:01.123456 main.go:12: accepted
2026/11/27 07:01:01 http: TLS handshake error from 10.0.0.1:1: EOF
`},
	{"go slog", "logfmt", 3, "2026-11-27T06:00:00.123Z INFO", "2026-11-27T06:01:01.123Z ERROR", `time=2026-11-27T07:00:00.123+01:00 level=INFO msg="server started" addr=:8080
time=2026-11-27T07:00:01.123+01:00 level=WARN msg=slow dur=1.2s
time=2026-11-27T07:01:01.123+01:00 level=ERROR msg="x \"y\"" err="EOF"
`},
	{"zap console", "plain", 3, "2026-11-27T07:00:00.123Z INFO", "2026-11-27T06:01:01.123Z DPANIC", "2026-11-27T07:00:00.123Z\tINFO\tserver/main.go:12\tstarted\t{\"addr\": \":8080\"}\n2026-11-27T07:00:01.123Z\tERROR\tserver/main.go:13\tfailed\t{\"err\": \"EOF\"}\n2026-11-27T07:01:01.123+0100\tDPANIC\tx.go:1\tfailed\n"},
	{"pino", "ndjson", 2, "2026-11-27T07:00:00.123Z 30", "2026-11-27T07:00:01.123Z 50", `{"level":30,"time":1795762800123,"pid":1,"hostname":"h","msg":"hello"}
{"level":50,"time":1795762801123,"pid":1,"hostname":"h","msg":"boom"}
`},
	{"rails", "plain", 3, "2026-11-27T07:00:00.123Z INFO", "2026-11-27T07:01:02.223Z ERROR", `I, [2026-11-27T07:00:00.123456 #1234]  INFO -- : Started GET "/" for 127.0.0.1 at 2026-11-27 07:00:00 +0100
D, [2026-11-27T07:00:00.223456 #1234] DEBUG -- :   User Load (0.1ms)  SELECT "users".*
E, [2026-11-27T07:01:02.223456 #1234] ERROR -- : x
`},
	{"nginx error", "plain", 3, "2026-11-27T07:00:00.000Z notice", "2026-11-27T07:01:02.000Z emerg", `2026/11/27 07:00:00 [notice] 1#1: using the "epoll" event method
2026/11/27 07:00:01 [error] 31#31: *1 open() "/usr/share/nginx/html/x" failed (2: No such file or directory), client: 10.0.0.1, server: localhost, request: "GET /x HTTP/1.1", host: "localhost"
2026/11/27 07:01:02 [emerg] 1#1: bind() to 0.0.0.0:80 failed
`},
	{"haproxy", "syslog", 3, "2026-11-27T07:00:00.000Z", "2026-11-27T07:00:02.000Z", `Nov 27 07:00:00 lb1 haproxy[14389]: 10.0.1.2:33317 [27/Nov/2026:06:59:59.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"
Nov 27 07:00:01 lb1 haproxy[14389]: Server static/srv2 is DOWN, reason: Layer4 timeout
Nov 27 07:00:02 lb1 haproxy[14389]: 10.0.1.2:33318 [27/Nov/2026:07:00:01.655] http-in static/<NOSRV> -1/-1/-1/-1/0 503 212 - - SC-- 0/0/0/0/0 0/0 "GET / HTTP/1.1"
`},
	{"squid", "plain", 3, "2026-11-27T07:00:00.123Z", "2026-11-27T07:01:00.001Z", `1795762800.123    125 10.0.0.1 TCP_MISS/200 1234 GET http://example.com/ - HIER_DIRECT/93.184.216.34 text/html
1795762801.001      5 10.0.0.2 TCP_DENIED/403 3900 CONNECT example.org:443 ann HIER_NONE/- text/html
1795762860.001     15 10.0.0.2 TCP_TUNNEL/200 39 CONNECT example.org:443 - HIER_DIRECT/1.2.3.4 -
`},
	{"varnishncsa", "combined", 2, "2026-11-27T07:00:00.000Z", "2026-11-27T07:00:01.000Z", `10.0.0.1 - - [27/Nov/2026:07:00:00 +0000] "GET http://example.com/ HTTP/1.1" 200 1234 "-" "Mozilla/5.0"
10.0.0.2 - - [27/Nov/2026:07:00:01 +0000] "GET http://example.com/x HTTP/1.1" 503 - "-" "curl"
`},
	{"caddy", "ndjson", 2, "2026-11-27T07:00:00.123Z info", "2026-11-27T07:00:01.123Z error", `{"level":"info","ts":1795762800.123456,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/","headers":{"User-Agent":["curl/8"]}},"duration":0.0012,"size":12,"status":200}
{"level":"error","ts":1795762801.123456,"logger":"http.log.error","msg":"dial tcp: refused","request":{"method":"GET","uri":"/x"},"status":502}
`},
	{"envoy", "plain", 2, "2026-11-27T07:00:00.123Z", "2026-11-27T07:00:01.123Z", `[2026-11-27T07:00:00.123Z] "GET /api HTTP/1.1" 200 - via_upstream - "-" 0 1234 5 4 "-" "curl/8.0" "b1c2" "example.com" "10.0.0.1:8080" outbound|80||x 10.1.1.1:1 10.1.1.2:80 - default
[2026-11-27T07:00:01.123Z] "POST /api HTTP/2" 503 UF upstream_reset_before_response_started{connection_failure} - "-" 12 91 10 - "-" "-" "b1c3" "example.com" "10.0.0.1:8080"
`},
	{"envoy app", "plain", 3, "2026-11-27T07:00:00.123Z info", "2026-11-27T07:00:01.123Z critical", `[2026-11-27 07:00:00.123][1][info][main] [source/server/server.cc:390] initializing epoch 0
[2026-11-27 07:00:01.123][1][warning][config] [source/x.cc:1] gRPC config stream closed: 14, ERROR
[2026-11-27 07:00:01.123][1][critical][main] x
`},
	{"journal short iso", "syslog", 3, "2026-11-27T06:00:00.000Z", "2026-11-27T06:00:02.000Z", `2026-11-27T07:00:00+0100 web1 systemd[1]: Started Session 1 of user root.
2026-11-27T07:00:01+0100 web1 kernel: eth0: link up
2026-11-27T07:00:02+0100 web1 sshd[123]: Accepted publickey for ann
`},
	{"journal json", "ndjson", 2, "2026-11-27T07:00:00.123Z 6", "2026-11-27T07:00:01.123Z 3", `{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795762800123456","PRIORITY":"6","_HOSTNAME":"web1","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Accepted"}
{"__CURSOR":"s=2","__REALTIME_TIMESTAMP":"1795762801123456","PRIORITY":"3","_HOSTNAME":"web1","SYSLOG_IDENTIFIER":"kernel","MESSAGE":[104,105]}
`},
	{"cef syslog", "syslog", 2, "2026-11-27T07:00:00.000Z info", "2026-11-27T07:00:01.000Z", `<134>Nov 27 07:00:00 host CEF:0|Security|threatmanager|1.0|100|worm successfully stopped|10|src=10.0.0.1 dst=2.1.2.2 spt=1232
Nov 27 07:00:01 host CEF:0|Security|threatmanager|1.0|100|worm|10|src=10.0.0.1 dst=2.1.2.2 spt=1232
`},
	{"gelf", "ndjson", 2, "2026-11-27T07:00:00.307Z 1", "2026-11-27T07:00:01.500Z 6", `{"version":"1.1","host":"example.org","short_message":"A short message","full_message":"Backtrace here\n\nmore","timestamp":1795762800.3072,"level":1,"_user_id":9001}
{"version":"1.1","host":"example.org","short_message":"x","timestamp":1795762801.5,"level":6}
`},
	{"auditd", "logfmt", 3, "2026-11-27T07:00:00.243Z", "2026-11-27T07:00:01.000Z", "type=SYSCALL msg=audit(1795762800.243:24287): arch=c000003e syscall=2 success=no exit=-13 ppid=2686 comm=\"cat\" exe=\"/bin/cat\" key=(null)\x1dARCH=x86_64 SYSCALL=open\ntype=CWD msg=audit(1795762800.243:24287):  cwd=\"/home/ann\"\ntype=USER_START msg=audit(1795762801.000:24288): pid=1 uid=0 msg='op=PAM:session_open acct=\"root\" exe=\"/usr/sbin/cron\" res=success'\n"},
	{"grafana", "logfmt", 2, "2026-11-27T07:00:00.520Z info", "2026-11-27T07:00:01.000Z eror", `logger=settings t=2026-11-27T07:00:00.520963849Z level=info msg="Starting Grafana" version=11.5.2
logger=settings t=2026-11-27T08:00:01+01:00 level=eror msg="Config loaded from" file=/etc/grafana/grafana.ini
`},
	{"uwsgi", "plain", 2, "2026-11-27T07:00:00.000Z", "2026-11-27T07:00:01.000Z", `[pid: 88185|app: 0|req: 1/1] 127.0.0.1 () {38 vars in 696 bytes} [Fri Nov 27 07:00:00 2026] POST /update => generated 47 bytes in 1 msecs (HTTP/1.1 200)
[pid: 88185|app: 0|req: 2/2] 127.0.0.1 () {32 vars in 552 bytes} [Fri Nov 27 07:00:01 2026] GET / => generated 7 bytes in 2 msecs (HTTP/1.1 200)
`},
	{"mongodb", "ndjson", 2, "2026-11-27T07:00:00.401Z", "2026-11-27T07:00:01.525Z", `{"t":{"$date":"2026-11-27T07:00:00.401+00:00"},"s":"I",  "c":"NETWORK",  "id":22943,   "ctx":"listener","msg":"Connection accepted"}
{"t":{"$date":"2026-11-27T08:00:01.525+01:00"},"s":"W",  "c":"COMMAND",  "id":51803,   "ctx":"conn162095","msg":"Slow query"}
`},
	{"serilog", "ndjson", 1, "2026-11-27T07:00:00.123Z", "2026-11-27T07:00:00.123Z", `{"@t":"2026-11-27T07:00:00.1234567Z","@mt":"Hello, {User}","User":"ann"}
`},
	{"ecs", "ndjson", 2, "2026-11-27T07:00:00.123Z info", "2026-11-27T07:00:01.123Z WARN", `{"@timestamp":"2026-11-27T07:00:00.123Z","log.level":"info","message":"a","ecs.version":"1.2.0","service.name":"shop"}
{"@timestamp":"2026-11-27T07:00:01.123Z","log":{"level":"WARN"},"message":"b","ecs":{"version":"1.2.0"}}
`},
	{"bgl", "plain", 2, "2005-06-03T22:42:50.000Z INFO", "2005-06-03T22:42:51.000Z FATAL", `- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 R02-M1-N0-C:J12-U11 RAS KERNEL INFO instruction cache parity error corrected
APPREAD 1117838571 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.51.675872 R02-M1-N0-C:J12-U11 RAS APP FATAL ciod: failed
`},
	{"s3access", "plain", 2, "2026-11-27T07:00:00.000Z", "2026-11-27T07:00:38.000Z", `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be DOC-EXAMPLE-BUCKET1 [27/Nov/2026:07:00:00 +0000] 192.0.2.3 79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /DOC-EXAMPLE-BUCKET1?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader DOC-EXAMPLE-BUCKET1.s3.us-west-1.amazonaws.com TLSV1.2 - -
79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be DOC-EXAMPLE-BUCKET1 [27/Nov/2026:07:00:38 +0000] 192.0.2.3 - 891CE47D2EXAMPLE REST.GET.OBJECT a.txt "GET /a.txt HTTP/1.1" 404 NoSuchKey 242 - 11 - "-" "S3Console/0.4" - x= SigV4 E AuthHeader h TLSV1.2 - -
`},
	{"alb", "plain", 2, "2026-11-27T07:00:00.186Z", "2026-11-27T07:00:01.186Z", `http 2026-11-27T07:00:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:x "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2026-11-27T07:00:00.186000Z "forward" "-" "-"
h2 2026-11-27T07:00:01.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 502 502 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - -
`},
	{"azure", "ndjson", 2, "2026-11-27T07:00:00.123Z Informational", "2026-11-27T07:00:01.000Z Warning", `{"time":"2026-11-27T07:00:00.1234567Z","resourceId":"/SUBSCRIPTIONS/X","category":"FunctionAppLogs","operationName":"x","level":"Informational","properties":{"message":"a"}}
{"time":"2026-11-27T07:00:01.0000000Z","category":"AuditEvent","level":"Warning"}
`},
	{"docker json", "docker:plain", 2, "2026-11-27T07:00:00.123Z ERROR", "2026-11-27T07:00:01.123Z", `{"log":"2026-11-27 07:00:00,123 ERROR boom\n","stream":"stderr","time":"2026-11-27T07:00:00.223456789Z"}
{"log":"plain words\n","stream":"stdout","time":"2026-11-27T07:00:01.123456789Z"}
`},
	{"dmesg", "plain", 3, "", "", `[    0.000000] Linux version 6.1.0-13-amd64
[   12.345678] usb 1-1: new high-speed USB device number 2 using xhci_hcd
[12345.678901] Out of memory: Killed process 123 (x)
`},
	{"gunicorn", "plain", 3, "2026-11-27T07:00:00.000Z INFO", "2026-11-27T07:00:02.000Z CRITICAL", `[2026-11-27 07:00:00 +0000] [1] [INFO] Starting gunicorn 21.2.0
[2026-11-27 07:00:01 +0000] [7] [ERROR] Exception in worker process
[2026-11-27 07:00:02 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:7)
`},
	{"elasticsearch text", "plain", 3, "2026-11-27T07:00:00.123Z INFO", "2026-11-27T07:00:03.123Z", `[2026-11-27T07:00:00,123][INFO ][o.e.n.Node               ] [node-1] starting ...
[2026-11-27T07:00:01,123][WARN ][o.e.b.BootstrapChecks    ] [node-1] max virtual memory areas too low
[2026-11-27T07:00:03,123][DEPRECATION][o.e.x ] [node-1] x
`},
	{"serilog text", "plain", 3, "2026-11-27T06:00:00.123Z INF", "2026-11-27T06:00:04.123Z VRB", `2026-11-27 07:00:00.123 +01:00 [INF] Hello
2026-11-27 07:00:01.123 +01:00 [WRN] Hmm ERROR
2026-11-27 07:00:04.123 +01:00 [VRB] x
`},
	{"rust env logger", "plain", 2, "2026-11-27T07:00:00.000Z INFO", "2026-11-27T07:00:01.000Z ERROR", `[2026-11-27T07:00:00Z INFO  app] started
[2026-11-27T07:00:01Z ERROR app::db] failed
`},
	{"clickhouse", "plain", 2, "2026-11-27T07:00:00.123Z Information", "2026-11-27T07:00:01.123Z Error", `2026.11.27 07:00:00.123456 [ 1 ] {} <Information> Application: Ready for connections.
2026.11.27 07:00:01.123456 [ 2 ] {a-b} <Error> executeQuery: Code: 60. DB::Exception
`},
	{"fortigate", "logfmt", 2, "2026-11-27T07:00:00.000Z notice", "2026-11-27T07:00:01.000Z warning", `date=2026-11-27 time=07:00:00 devname="FG1" devid="FG100" logid="0000000013" type="traffic" level="notice" srcip=10.0.0.1 dstip=1.2.3.4 action="accept"
date=2026-11-27 time=07:00:01 devname="FG1" devid="FG100" logid="0000000014" type="traffic" level="warning" srcip=10.0.0.1 action="deny"
`},
	{"bind", "plain", 2, "2026-11-27T07:00:00.123Z info", "2026-11-27T07:00:01.123Z error", `27-Nov-2026 07:00:00.123 queries: info: client @0x7f 10.0.0.1#5353 (example.com): query: example.com IN A +E(0)K (10.0.0.53)
27-Nov-2026 07:00:01.123 security: error: client @0x7f 10.0.0.1#5353: denied
`},
	{"dovecot", "plain", 2, "2026-11-27T07:00:00.000Z Info", "2026-11-27T07:00:01.000Z Error", `2026-11-27 07:00:00 imap-login: Info: Login: user=<a>, method=PLAIN, rip=10.0.0.1
2026-11-27 07:00:01 imap(a): Error: fsync failed
`},
	{"prometheus", "plain", 3, "", "", `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
x 1
`},
	{"vpcflow", "plain", 3, "", "", `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1795762800 1795762860 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 - - - - - - - 1795762802 1795762862 - NODATA
`},
	{"paloalto", "plain", 2, "", "", `1,2026/11/27 07:00:00,007200001056,TRAFFIC,end,1,2026/11/27 07:00:00,10.0.0.1,1.2.3.4
1,2026/11/27 07:00:01,007200001056,THREAT,url,1,2026/11/27 07:00:01,10.0.0.1,1.2.3.4
`},
	{"openvpn", "plain", 2, "2026-11-27T07:00:00.000Z", "2026-11-27T07:00:01.000Z WARNING", `Fri Nov 27 07:00:00 2026 OpenVPN 2.4.7 x86_64-pc-linux-gnu
Fri Nov 27 07:00:01 2026 us=123456 WARNING: file 'x' is group or others accessible
`},
	{"dmesg -x -T", "plain", 2, "2026-11-27T07:00:00.000Z notice", "2026-11-27T07:00:01.000Z err", `kern  :notice: [Fri Nov 27 07:00:00 2026] Linux version 6.1.0-13-amd64
kern  :err   : [Fri Nov 27 07:00:01 2026] usb 1-1: device descriptor read/64, error -71
`},
	{"dmesg -x", "plain", 2, "info", "warn", `daemon:info  : [    2.345678] systemd[1]: Detected architecture x86-64.
kern  :warn  : [    2.345679] ACPI: something
`},
	{"long months", "plain", 2, "2026-11-27T07:00:00.000Z ERROR", "2026-11-27T19:00:01.000Z", `27 November 2026 07:00:00 ERROR it failed
November 27, 2026 7:00:01 PM it works
`},
	{"rfc 850", "plain", 2, "2026-11-27T07:00:00.000Z ERROR", "2026-11-27T07:00:01.000Z", `Friday, 27-Nov-26 07:00:00 GMT ERROR it failed
Friday, 27-Nov-26 07:00:01 GMT it works
`},
	{
		"windows events", "plain", 2, "2026-11-27T07:00:00.000Z Information", "2026-11-27T19:00:01.000Z Error",
		"Information\t11/27/2026 7:00:00 AM\tService Control Manager\t7036\tNone\tThe X service entered the running state.\n" +
			"Error\t11/27/2026 7:00:01 PM\tService Control Manager\t7000\tNone\tThe X service failed to start.\n",
	},
	{"journal pretty", "json", 2, "2026-11-27T07:00:00.123Z 6", "2026-11-27T07:00:01.123Z 3", `{
	"__REALTIME_TIMESTAMP" : "1795762800123456",
	"PRIORITY" : "6",
	"MESSAGE" : "Accepted"
}
{
	"__REALTIME_TIMESTAMP" : "1795762801123456",
	"PRIORITY" : "3",
	"MESSAGE" : [ 104, 105 ]
}
`},
	{"lambda", "plain", 2, "2026-11-27T07:00:00.123Z INFO", "2026-11-27T07:00:01.123Z ERROR", "2026-11-27T07:00:00.123Z\t8f507cfc-x\tINFO\thello\n2026-11-27T07:00:01.123Z\t8f507cfc-x\tERROR\tbad\n"},
}

// TestKinds has the format of each kind found, and time and level where one who
// knows it would look.
func TestKinds(t *testing.T) {
	modified, _ := stamp.ParseText("2026-11-27T12:00:00Z", 0)
	for _, kind := range kinds {
		d := decoder(t, codec.Options{})
		o := &record.Origin{Source: kind.name, Modified: modified}
		skip := d.Begin([]byte(kind.text), o)
		plan := record.NewPlan()
		plan.ReadTime("")
		level := plan.Column("level")
		b := &record.Batch{Origin: o, Data: []byte(kind.text[skip:])}
		next := len(b.Data)
		if r, ok := d.Framer(o).(codec.Renewer); ok {
			b.Header, next = r.Renew(o.Header, b.Data)
		}
		b.Data = b.Data[:next]
		d.NewParser(plan).Parse(b)
		var got []string
		for i := range b.Recs {
			if !b.Recs[i].Live() {
				continue
			}
			var text []byte
			if b.Recs[i].Flags&record.Undated == 0 {
				text = append(stamp.AppendRFC3339(text, b.Recs[i].Time), ' ')
			}
			got = append(got, strings.TrimSpace(string(append(text, b.Text(b.Col(level)[i])...))))
		}
		if o.Format != kind.format || len(b.Faults) > 0 || len(got) != kind.records {
			t.Errorf("%s: found %s, %d records, %v; want %s, %d", kind.name, o.Format, len(got), b.Faults, kind.format, kind.records)
			continue
		}
		if first, last := got[0], got[len(got)-1]; first != kind.first || last != kind.last {
			t.Errorf("%s: the first is %q, the last %q; want %q and %q", kind.name, first, last, kind.first, kind.last)
		}
	}
}
