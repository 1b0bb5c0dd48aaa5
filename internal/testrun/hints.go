package testrun

import "regexp"

// Plugins that a suite needs and nothing names: known by what their absence
// looks like. The values are modules, so that source's list of packages decides
// what may be installed.
var (
	markerPlugins = map[string]string{"asyncio": "pytest_asyncio", "trio": "pytest_trio", "anyio": "anyio", "timeout": "pytest_timeout",
		"benchmark": "pytest_benchmark", "django_db": "pytest_django", "flaky": "flaky", "freeze_time": "pytest_freezer",
		"time_machine": "time_machine", "respx": "respx", "vcr": "vcr", "parallel_threads": "pytest_run_parallel", "thread_unsafe": "pytest_run_parallel"}
	fixturePlugins = map[string]string{"mocker": "pytest_mock", "benchmark": "pytest_benchmark", "httpserver": "pytest_httpserver",
		"httpbin": "pytest_httpbin", "freezer": "pytest_freezer", "requests_mock": "requests_mock", "respx_mock": "respx", "fs": "pyfakefs",
		"snapshot": "syrupy", "event_loop": "pytest_asyncio", "aiohttp_client": "pytest_aiohttp", "datadir": "pytest_datadir",
		"data_regression": "pytest_regressions", "faker": "faker", "subtests": "pytest_subtests", "anyio_backend": "anyio", "check": "pytest_check",
		"lazy_fixture": "pytest_lazyfixture", "testdir": "pytest", "unused_tcp_port": "pytest_asyncio"}
	optionPlugins = map[string]string{"asyncio_mode": "pytest_asyncio", "asyncio_default_fixture_loop_scope": "pytest_asyncio",
		"DJANGO_SETTINGS_MODULE": "pytest_django", "timeout": "pytest_timeout", "trio_mode": "pytest_trio", "anyio_mode": "anyio"}

	unknownMarker  = regexp.MustCompile(`Unknown pytest\.mark\.(\w+)|'(\w+)' not found in .markers. configuration option`)
	unknownFixture = regexp.MustCompile(`fixture '(\w+)' not found`)
	unknownOption  = regexp.MustCompile(`Unknown config options?: (\w+)`)
	asyncTests     = regexp.MustCompile(`async def functions are not natively supported`)
)

// hints returns the modules whose absence a text of pytest's points to.
func hints(text string) map[string]bool {
	found := map[string]bool{}
	look := func(re *regexp.Regexp, known map[string]string) {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			for _, name := range m[1:] {
				if module, ok := known[name]; ok {
					found[module] = true
				}
			}
		}
	}
	look(unknownMarker, markerPlugins)
	look(unknownFixture, fixturePlugins)
	look(unknownOption, optionPlugins)
	if asyncTests.MatchString(text) {
		found["pytest_asyncio"] = true
	}
	return found
}
