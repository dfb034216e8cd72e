#!/usr/bin/env bash
# A real Apache Kafka (KRaft) of N nodes on loopback, from Maven's jars, for the
# integration tests. Every node is broker and controller.
#
#   cluster.sh jars                fetch the jars (Java 17 and Maven are needed)
#   cluster.sh start N DIR [auth]  print the bootstrap list when every node answers;
#                                  with auth also the addresses of SASL_PLAINTEXT and SSL
#                                  listeners, space-separated (user: ann, password: secret;
#                                  the CA is DIR/ca.pem); whatever has no ACL is allowed
#   cluster.sh kill DIR NODE       kill -9
#   cluster.sh restart DIR NODE    start a killed node again, on its old ports
#   cluster.sh stop DIR            stop all nodes and wait for their end
#
# Logs are in DIR/nNODE/log. KAFKA_LIBS names another directory for the jars.
# Measured on 2 cores: one node answers after 3 s, three after 8 s with 1.2 GB in all.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
libs=${KAFKA_LIBS:-${XDG_CACHE_HOME:-$HOME/.cache}/logctl/kafka-libs}
password=secret # of a server that lives as long as a test, on loopback

die() { echo "cluster.sh: $*" >&2; exit 2; }

jars() {
  [ -e "$libs/.complete" ] && return
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$libs" >&2 </dev/null
  touch "$libs/.complete"
}

# free_ports N prints N free ports, below those that connections go out from:
# one of them must not take the port of a node that is down. Another process
# could take one before we do; start then fails and says so in the log.
free_ports() {
  local port found=0
  for port in $(shuf -i 20000-32000); do
    if answers "$port"; then continue; fi
    echo "$port"
    [ $((++found)) -lt "$1" ] || return 0
  done
}

# With a compiler and a collector that are quick to start: half the work of a start.
java=(java -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$libs/*")

launch() { # DIR/nNODE
  "${java[@]}" kafka.Kafka "$1/server.properties" >>"$1/log" 2>&1 </dev/null &
  echo $! >"$1/pid"
  disown
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

await() { # DIR/nNODE
  local port pid
  port=$(cat "$1/port") pid=$(cat "$1/pid")
  for _ in $(seq 600); do
    answers "$port" && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$1/log" >&2
  die "node $1 does not answer on port $port"
}

certificate() { # DIR: a CA, and a key with a certificate for 127.0.0.1 in one PEM
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=logctl-test-ca \
    -keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout "$1/server.key" -out "$1/server.csr" 2>/dev/null
  openssl x509 -req -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost') -out "$1/server.pem" 2>/dev/null
  openssl pkcs8 -topk8 -nocrypt -in "$1/server.key" -out "$1/keystore.pem"
  cat "$1/server.pem" >>"$1/keystore.pem"
}

auth_properties() { # DIR PORT-OF-SASL PORT-OF-SSL
  local plain=org.apache.kafka.common.security.plain.PlainLoginModule
  local scram=org.apache.kafka.common.security.scram.ScramLoginModule
  cat <<P
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config=$plain required user_ann="$password";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=$scram required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=$scram required;
listener.name.ssl.ssl.keystore.type=PEM
listener.name.ssl.ssl.keystore.location=$1/keystore.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
P
}

properties() { # DIR/nNODE: from the variables of start
  local listeners="PLAINTEXT://127.0.0.1:$port"
  if [ -n "$auth" ]; then
    listeners+=",SASL_PLAINTEXT://127.0.0.1:${ports[2 * n]},SSL://127.0.0.1:${ports[2 * n + 1]}"
  fi
  cat <<P
process.roles=broker,controller
node.id=$i
controller.quorum.voters=${voters:1}
listeners=$listeners,CONTROLLER://127.0.0.1:$control
advertised.listeners=$listeners
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL
log.dirs=$1/data
default.replication.factor=$n
num.partitions=4
min.insync.replicas=$isr
offsets.topic.replication.factor=$n
transaction.state.log.replication.factor=$n
transaction.state.log.min.isr=$isr
share.coordinator.state.topic.replication.factor=$n
share.coordinator.state.topic.min.isr=$isr
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
share.coordinator.state.topic.num.partitions=8
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.share.session.timeout.ms=6000
group.share.min.session.timeout.ms=6000
group.share.heartbeat.interval.ms=1500
group.share.min.heartbeat.interval.ms=1500
group.share.record.lock.duration.ms=15000
P
  [ -z "$auth" ] || auth_properties "$dir" "${ports[2 * n]}" "${ports[2 * n + 1]}"
}

start() {
  local n=$1 dir=$2 auth=${3:-} isr=$(($1 > 1 ? 2 : 1)) voters='' boot='' i port control node
  local scram=()
  [ -z "$auth" ] || [ "$n" = 1 ] || die "auth is for one node"
  jars
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  mapfile -t ports < <(free_ports $((2 * n + 2)))
  if [ -n "$auth" ]; then
    certificate "$dir"
    scram=(--add-scram "SCRAM-SHA-256=[name=ann,password=$password]" --add-scram "SCRAM-SHA-512=[name=ann,password=$password]")
  fi
  for i in $(seq "$n"); do
    voters+=",$i@127.0.0.1:${ports[2 * i - 1]}"
    boot+=",127.0.0.1:${ports[2 * i - 2]}"
  done
  for i in $(seq "$n"); do
    node=$dir/n$i port=${ports[2 * i - 2]} control=${ports[2 * i - 1]}
    mkdir -p "$node"
    echo "$port" >"$node/port"
    properties "$node" >"$node/server.properties"
    {
      "${java[@]}" kafka.tools.StorageTool format -t logctl-test-cluster-xx -c "$node/server.properties" "${scram[@]}" \
        >"$node/format.log" 2>&1 || { cat "$node/format.log" >&2; exit 1; }
      launch "$node"
    } &
  done
  for i in $(seq "$n"); do wait -n || die "a node's storage could not be formatted"; done
  for i in $(seq "$n"); do await "$dir/n$i"; done
  if [ -n "$auth" ]; then boot+=" 127.0.0.1:${ports[2 * n]} 127.0.0.1:${ports[2 * n + 1]}"; fi
  echo "${boot:1}"
}

stop() {
  local p pid
  shopt -s nullglob
  for p in "$1"/n*/pid; do kill "$(cat "$p")" 2>/dev/null || true; done
  for p in "$1"/n*/pid; do
    pid=$(cat "$p")
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true # it could not leave the quorum in 10 s
  done
}

case ${1:-} in
jars) jars ;;
start) start "${2:?N}" "${3:?DIR}" "${4:-}" ;;
kill) kill -9 "$(cat "${2:?DIR}/n${3:?NODE}/pid")" ;;
restart) launch "${2:?DIR}/n${3:?NODE}" && await "$2/n$3" ;;
stop) stop "${2:?DIR}" ;;
*) sed -n '2,/^set/p' "$0" | sed '$d;s/^# \{0,1\}//' >&2; exit 2 ;;
esac
