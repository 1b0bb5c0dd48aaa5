package source

import "strings"

// packages maps top-level modules that suites are known to import to the
// projects that bring them. Installing a project because it happens to have
// the name of a module is unsafe (a test's own "delegator" brought a stranger's
// code), so what is not listed is not installed.
var packages = map[string]string{
	// modules whose project has another name
	"attr": "attrs", "attrs": "attrs", "yaml": "pyyaml", "dateutil": "python-dateutil", "PIL": "pillow", "bs4": "beautifulsoup4",
	"sklearn": "scikit-learn", "skimage": "scikit-image", "cv2": "opencv-python-headless", "dotenv": "python-dotenv", "jwt": "pyjwt",
	"OpenSSL": "pyopenssl", "Crypto": "pycryptodome", "nacl": "pynacl", "magic": "python-magic", "serial": "pyserial",
	"zmq": "pyzmq", "git": "gitpython", "MySQLdb": "mysqlclient", "psycopg2": "psycopg2-binary", "google.protobuf": "protobuf",
	"pkg_resources": "setuptools", "setuptools": "setuptools", "distutils": "setuptools", "slugify": "python-slugify", "docx": "python-docx",
	"markdown": "markdown", "jose": "python-jose", "ldap3": "ldap3", "lxml": "lxml", "mock": "mock", "faker": "faker",
	"nose": "nose-py3", "socks": "pysocks", "usb": "pyusb", "Levenshtein": "levenshtein", "babel": "babel", "jinja2": "jinja2",
	"flask": "flask", "werkzeug": "werkzeug", "dns": "dnspython", "webob": "webob", "webtest": "webtest", "mako": "mako",
	"multipart": "python-multipart", "pythonjsonlogger": "python-json-logger", "memcache": "python-memcached", "fuse": "fusepy",
	"unidecode": "unidecode", "sphinx": "sphinx", "docutils": "docutils", "IPython": "ipython", "Xlib": "python-xlib",

	// testing, and what suites use besides
	"hypothesis": "hypothesis", "pytest": "pytest", "pytest_asyncio": "pytest-asyncio", "pytest_mock": "pytest-mock",
	"pytest_cov": "pytest-cov", "pytest_benchmark": "pytest-benchmark", "pytest_timeout": "pytest-timeout",
	"pytest_subtests": "pytest-subtests", "pytest_httpserver": "pytest-httpserver", "pytest_httpbin": "pytest-httpbin",
	"pytest_localserver": "pytest-localserver", "pytest_lazyfixture": "pytest-lazy-fixture", "pytest_lazy_fixtures": "pytest-lazy-fixtures",
	"pytest_trio": "pytest-trio", "pytest_tornado": "pytest-tornado", "pytest_aiohttp": "pytest-aiohttp", "pytest_django": "pytest-django",
	"pytest_freezer": "pytest-freezer", "pytest_regressions": "pytest-regressions", "pytest_datadir": "pytest-datadir",
	"pytest_xdist": "pytest-xdist", "xdist": "pytest-xdist", "pytest_randomly": "pytest-randomly", "pytest_cases": "pytest-cases",
	"pytest_examples": "pytest-examples", "pytest_run_parallel": "pytest-run-parallel", "pytest_codspeed": "pytest-codspeed",
	"pytest_rerunfailures": "pytest-rerunfailures", "pytest_check": "pytest-check", "pytest_bdd": "pytest-bdd",
	"freezegun": "freezegun", "time_machine": "time-machine", "pretend": "pretend", "testfixtures": "testfixtures", "sybil": "sybil",
	"parameterized": "parameterized", "ddt": "ddt", "responses": "responses", "respx": "respx", "httpretty": "httpretty", "vcr": "vcrpy",
	"requests_mock": "requests-mock", "pyfakefs": "pyfakefs", "dirty_equals": "dirty-equals", "inline_snapshot": "inline-snapshot",
	"syrupy": "syrupy", "approvaltests": "approvaltests", "pexpect": "pexpect", "ptyprocess": "ptyprocess", "trustme": "trustme",
	"testtools": "testtools", "assertpy": "assertpy", "hamcrest": "pyhamcrest", "expects": "expects", "flaky": "flaky", "zope.testing": "zope-testing",
	"coverage": "coverage", "toml": "toml", "tomli": "tomli", "tomli_w": "tomli-w", "tomlkit": "tomlkit", "typing_extensions": "typing-extensions",
	"exceptiongroup": "exceptiongroup", "tzdata": "tzdata", "tzlocal": "tzlocal", "pytz": "pytz", "six": "six", "cloudpickle": "cloudpickle",
	"dill": "dill", "numpy": "numpy", "pandas": "pandas", "scipy": "scipy", "matplotlib": "matplotlib", "requests": "requests", "httpx": "httpx",
	"aiohttp": "aiohttp", "anyio": "anyio", "trio": "trio", "curio": "curio", "uvloop": "uvloop", "gevent": "gevent", "greenlet": "greenlet",
	"eventlet": "eventlet", "twisted": "twisted", "tornado": "tornado", "psutil": "psutil", "packaging": "packaging", "pydantic": "pydantic",
	"msgpack": "msgpack", "orjson": "orjson", "ujson": "ujson", "simplejson": "simplejson", "cbor2": "cbor2", "bson": "pymongo",
	"jsonschema": "jsonschema", "marshmallow": "marshmallow", "sqlalchemy": "sqlalchemy", "django": "django", "click": "click", "rich": "rich",
	"colorama": "colorama", "pygments": "pygments", "prettytable": "prettytable", "tabulate": "tabulate", "tqdm": "tqdm", "redis": "redis",
	"fakeredis": "fakeredis", "cryptography": "cryptography", "brotli": "brotli", "zstandard": "zstandard", "lz4": "lz4", "html5lib": "html5lib",
	"networkx": "networkx", "sympy": "sympy", "pyparsing": "pyparsing", "ply": "ply", "cython": "cython", "Cython": "cython", "cffi": "cffi",
	"portend": "portend", "objgraph": "objgraph", "pympler": "pympler", "pytimeparse": "pytimeparse", "sortedcontainers": "sortedcontainers",
	"cachetools": "cachetools", "more_itertools": "more-itertools", "toolz": "toolz", "pluggy": "pluggy", "iniconfig": "iniconfig",
	"platformdirs": "platformdirs", "filelock": "filelock", "virtualenv": "virtualenv", "build": "build", "wheel": "wheel", "pip": "pip",
}

// PackageFor returns the project that brings a module which collection
// reported missing ("yaml.loader" too). false means that it is not known: set
// the test file aside and say so.
func PackageFor(module string) (string, bool) {
	for name := module; name != ""; {
		if p, ok := packages[name]; ok {
			return p, true
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			break
		}
		name = name[:i]
	}
	return "", false
}
