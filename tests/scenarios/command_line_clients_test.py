"""mosquitto_pub and mosquitto_sub against the broker, as people use them in shell scripts."""

from harness import HOST, PUB, Scenario, main, wait_until

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")
QUALITIES = ("0", "1", "2")


class PublishAndSubscribe(Scenario):
    def test_each_version_and_quality(self):
        """MQTT311-7.0.0-2: clients of other people need nothing of ours."""
        self.start_broker()
        for version in VERSIONS:
            for qos in QUALITIES:
                with self.subTest(version=version, qos=qos):
                    topic = f"lamp/{version}/{qos}"
                    sub = self.subscriber("-V", version, "-q", qos, "-t", topic, "-C", "1")
                    self.pub("-V", version, "-q", qos, "-t", topic, "-m", "on")
                    self.assertEqual(sub.wait(), 0)
                    self.assertEqual(sub.messages(), [f"{topic} {qos} 0 on"])

    def test_versions_understand_each_other(self):
        self.start_broker()
        for publisher in VERSIONS:
            for subscriber in VERSIONS:
                with self.subTest(publisher=publisher, subscriber=subscriber):
                    sub = self.subscriber("-V", subscriber, "-q", "2", "-t", "t", "-C", "1")
                    self.pub("-V", publisher, "-q", "2", "-t", "t", "-m", "hello")
                    self.assertEqual(sub.wait(), 0)
                    self.assertEqual(sub.messages(), ["t 2 0 hello"])

    def test_the_lower_quality_of_the_two_is_delivered(self):
        self.start_broker()
        for published in QUALITIES:
            for granted in QUALITIES:
                with self.subTest(published=published, granted=granted):
                    sub = self.subscriber("-q", granted, "-t", "t", "-C", "1")
                    self.pub("-q", published, "-t", "t", "-m", "x")
                    self.assertEqual(sub.wait(), 0)
                    self.assertEqual(sub.messages(), [f"t {min(published, granted)} 0 x"])

    def test_an_empty_message_and_a_file(self):
        self.start_broker()
        sub = self.subscriber("-t", "t", "-C", "2", form="%l")
        self.pub("-t", "t", "-q", "1", "-n")
        self.pub("-t", "t", "-f", self.broker.config_path)
        self.assertEqual(sub.wait(), 0)
        with open(self.broker.config_path, "rb") as file:
            self.assertEqual(sub.messages(), ["0", str(len(file.read()))])

    def test_many_messages_of_one_publisher_keep_their_order(self):
        self.start_broker()
        for qos in QUALITIES:
            with self.subTest(qos=qos):
                sub = self.subscriber("-q", qos, "-t", "count", "-C", "500", form="%p")
                self.run_program(
                    ["sh", "-c", 'seq 500 | "$0" -l -h "$1" -p "$2" -q "$3" -t count']
                    + [PUB, HOST, str(self.broker.port), qos]
                )
                self.assertEqual(sub.wait(), 0)
                self.assertEqual(sub.messages(), [str(n) for n in range(1, 501)])


class Wildcards(Scenario):
    # (filter, does it match "a/b/c/d")
    TABLE = (
        ("a/b/c/d", True),
        ("+/b/c/d", True),
        ("a/+/c/d", True),
        ("a/+/+/d", True),
        ("+/+/+/+", True),
        ("#", True),
        ("a/#", True),
        ("a/b/c/d/#", True),  # "#" also stands for no level at all.
        ("+/b/c/#", True),
        ("a/b/c", False),
        ("b/+/c/d", False),
        ("+/+/+", False),
        ("a/b/c/d/+", False),
        ("A/b/c/d", False),
        ("/a/b/c/d", False),
    )

    def test_the_table_of_mosquittos_manual(self):
        self.start_broker()
        for pattern, matches in self.TABLE:
            with self.subTest(pattern=pattern):
                sub = self.subscriber("-t", pattern, "-t", "end", "-C", "2" if matches else "1")
                self.pub("-t", "a/b/c/d", "-q", "1", "-m", "x")
                self.pub("-t", "end", "-m", "x")
                self.assertEqual(sub.wait(), 0)
                want = ["a/b/c/d 0 0 x"] if matches else []
                # "#" and "end" overlap: the same message may come once or twice.
                self.assertEqual(sub.messages()[: len(want) + 1], want + ["end 0 0 x"])

    def test_a_leading_wildcard_does_not_match_dollar_topics(self):
        self.start_broker("sys_interval 1")
        sub = self.subscriber("-t", "#", "-t", "+/broker/uptime", "-W", "3", form="%t")
        self.assertEqual(sub.wait(), 27)
        self.assertEqual(sub.messages(), [])


class Retained(Scenario):
    def retained(self, topic="t"):
        """The retained messages that a new subscriber of `topic` gets."""
        # The sentinel is retained too, and is asked for last, so it comes last.
        self.pub("-t", "sentinel", "-q", "1", "-r", "-m", "end")
        sub = self.subscriber("-t", topic, "-t", "sentinel", "-W", "30")
        wait_until(lambda: "sentinel 0 1 end" in sub.messages(), "the sentinel")
        sub.kill()
        return [line for line in sub.messages() if not line.startswith("sentinel ")]

    def test_set_replace_clear(self):
        self.start_broker()
        self.pub("-t", "t", "-q", "1", "-r", "-m", "one")
        self.assertEqual(self.retained(), ["t 0 1 one"])
        self.pub("-t", "t", "-q", "1", "-r", "-m", "two")
        self.assertEqual(self.retained(), ["t 0 1 two"])
        self.pub("-t", "t", "-q", "1", "-m", "not retained")
        self.assertEqual(self.retained(), ["t 0 1 two"])
        self.pub("-t", "t", "-q", "1", "-r", "-n")
        self.assertEqual(self.retained(), [])

    def test_a_subscriber_that_is_there_gets_it_without_the_flag(self):
        self.start_broker()
        sub = self.subscriber("-t", "t", "-C", "1")
        self.pub("-t", "t", "-q", "1", "-r", "-m", "now")
        self.assertEqual(sub.wait(), 0)
        self.assertEqual(sub.messages(), ["t 0 0 now"])

    def test_quality_and_wildcards(self):
        self.start_broker()
        watcher = self.subscriber("-t", "house/#", "-C", "3")
        for qos in QUALITIES:
            self.pub("-t", f"house/{qos}/lamp", "-q", qos, "-r", "-m", qos)
        self.assertEqual(watcher.wait(), 0)
        self.pub("-t", "garden/1/lamp", "-q", "1", "-r", "-m", "no")
        sub = self.subscriber("-t", "house/+/lamp", "-q", "2", "-C", "3")
        self.assertEqual(sub.wait(), 0)
        want = [f"house/{qos}/lamp {qos} 1 {qos}" for qos in QUALITIES]
        self.assertEqual(sorted(sub.messages()), want)

    def test_options_of_mosquitto_sub(self):
        self.start_broker()
        self.pub("-t", "t", "-q", "1", "-r", "-m", "stale")
        sub = self.subscriber("-t", "t", "-R", "-C", "1")
        self.pub("-t", "t", "-m", "fresh")
        self.assertEqual(sub.wait(), 0)
        self.assertEqual(sub.messages(), ["t 0 0 fresh"])

        self.sub("-t", "t", "--remove-retained", "-W", "1", want=27)
        self.assertEqual(self.sub("-t", "t", "-W", "1", want=27), "Timed out\n")


class Wills(Scenario):
    OPTIONS = ("--will-topic", "will", "--will-payload", "gone", "--will-qos", "1")

    def test_a_killed_client_leaves_its_will(self):
        self.start_broker()
        for version in VERSIONS:
            with self.subTest(version=version):
                watcher = self.subscriber("-t", "will", "-q", "2", "-C", "1")
                victim = self.subscriber("-V", version, "-t", "x", *self.OPTIONS)
                victim.kill()
                self.assertEqual(watcher.wait(), 0)
                self.assertEqual(watcher.messages(), ["will 1 0 gone"])

    def test_a_retained_will_is_kept(self):
        self.start_broker()
        watcher = self.subscriber("-t", "will", "-C", "1")
        self.subscriber("-t", "x", *self.OPTIONS, "--will-retain").kill()
        self.assertEqual(watcher.wait(), 0)
        self.assertEqual(self.sub("-t", "will", "-F", "%r %p", "-C", "1", "-W", "10"), "1 gone\n")

    def test_a_client_that_says_goodbye_leaves_none(self):
        self.start_broker()
        watcher = self.subscriber("-t", "will", "-C", "1")
        leaver = self.subscriber("-t", "x", "-C", "1", *self.OPTIONS)
        self.pub("-t", "x", "-m", "please go")
        self.assertEqual(leaver.wait(), 0)
        self.broker.wait_log(r"Client \S+ disconnected\.$")
        self.pub("-t", "will", "-m", "sentinel")
        self.assertEqual(watcher.wait(), 0)
        self.assertEqual(watcher.messages(), ["will 0 0 sentinel"])


class OutputAndExitStatus(Scenario):
    def test_count_timeout_and_refused_connection(self):
        self.start_broker()
        self.pub("-t", "t", "-q", "1", "-r", "-m", "kept")
        self.assertEqual(self.sub("-t", "t", "-C", "1", "-W", "10"), "kept\n")
        self.assertEqual(self.sub("-t", "t", "-v", "-C", "1", "-W", "10"), "t kept\n")
        self.assertEqual(self.sub("-t", "nothing", "-W", "1", want=27), "Timed out\n")
        port = self.broker.port
        self.broker.stop()
        for program in (self.pub, self.sub):
            output = program("-t", "t", *(["-m", "x"] if program == self.pub else []), want=1)
            self.assertIn("Connection refused", output, f"port {port}")

    def test_a_disallowed_client_is_told_why(self):
        self.start_broker("allow_anonymous false")
        output = self.pub("-t", "t", "-m", "x", want=5)
        self.assertIn("Connection Refused: not authorised", output)
        output = self.pub("-V", "mqttv5", "-t", "t", "-m", "x", want=None)
        self.assertIn("Not authorized", output)

    def test_formats_show_what_was_published(self):
        self.start_broker()
        table = (
            ("%t|%q|%r|%l|%p", "t/1|1|0|3|abc"),
            ("%x %X", "616263 616263"),
            ("%%", "%"),
            ("%C|%R|%D|%F|%P", "text/plain|answer/here|42|1|colour:red"),
        )
        properties = ["content-type text/plain", "response-topic answer/here"]
        properties += ["correlation-data 42", "payload-format-indicator 1"]
        properties += ["user-property colour red"]
        options = [part for each in properties for part in ["-D", "PUBLISH"] + each.split(" ")]
        for form, want in table:
            with self.subTest(form=form):
                sub = self.subscriber(
                    "-V", "mqttv5", "-q", "1", "-t", "t/#", "-C", "1", form=form
                )
                self.pub("-V", "mqttv5", "-q", "1", "-t", "t/1", "-m", "abc", *options)
                self.assertEqual(sub.wait(), 0)
                self.assertEqual(sub.messages(), [want])

    def test_unsubscribe_and_filter_out(self):
        self.start_broker()
        sub = self.subscriber("-t", "#", "-T", "skip/me", "-C", "1", form="%t")
        self.pub("-t", "skip/me", "-q", "1", "-m", "x")
        self.pub("-t", "take/me", "-m", "x")
        self.assertEqual(sub.wait(), 0)
        self.assertEqual(sub.messages(), ["take/me"])


if __name__ == "__main__":
    main()
