"""Python packages that run on a slim image as they are.

Either they are Python alone, or their wheels for Linux bring the libraries they need along
(pypi.org, the files of their current releases; auditwheel's policy "manylinux"), and they call no
program and load no library of the system. What is not here is not known.
"""

from __future__ import annotations

SELF_CONTAINED = frozenset(
    """
    aiofiles aiohttp aiosignal aiosqlite alembic amqp annotated-types anyio apscheduler argon2-cffi
    arrow asgiref asyncpg attrs authlib babel bcrypt beautifulsoup4 billiard bleach blinker
    boto3 botocore brotli cachetools celery certifi cffi channels chardet charset-normalizer click
    click-didyoumean click-plugins click-repl cloudpickle colorama croniter cryptography daphne
    dataclasses-json decorator deprecated dj-database-url django django-allauth
    django-cors-headers django-crispy-forms django-debug-toolbar django-environ
    django-extensions django-filter django-redis django-rest-framework django-storages
    djangorestframework djangorestframework-simplejwt dnspython drf-spectacular drf-yasg
    ecdsa elasticsearch email-validator exceptiongroup faker fastapi filelock flask flask-admin
    flask-babel flask-bcrypt flask-caching flask-cors flask-jwt-extended flask-limiter
    flask-login flask-mail flask-marshmallow flask-migrate flask-restful flask-restx
    flask-socketio flask-sqlalchemy flask-wtf frozenlist fsspec gevent google-api-core
    google-auth googleapis-common-protos graphene greenlet grpcio gunicorn h11 h2 hpack
    httpcore httptools httpx hypercorn idna importlib-metadata iniconfig isodate itsdangerous
    jinja2 jmespath joblib jose jsonschema kombu limits loguru mako markdown markdown-it-py
    markupsafe marshmallow marshmallow-sqlalchemy mongoengine motor msgpack multidict
    mypy-extensions numpy oauthlib openai openpyxl orjson packaging pandas paramiko passlib
    peewee pika pillow pip prometheus-client prometheus-flask-exporter prompt-toolkit propcache
    protobuf psutil psycopg2-binary pyasn1 pyasn1-modules pycparser pydantic pydantic-core
    pydantic-settings pygments pyjwt pymongo pymysql pynacl pyopenssl pyparsing pyrsistent
    python-dateutil python-decouple python-dotenv python-engineio python-jose python-json-logger
    python-multipart python-slugify python-socketio pytz pyyaml redis regex requests
    requests-oauthlib rich rsa s3transfer scikit-learn scipy sentry-sdk setuptools shellingham
    simplejson six sniffio sortedcontainers soupsieve sqlalchemy sqlmodel sqlparse sse-starlette
    starlette structlog tabulate tenacity text-unidecode threadpoolctl tomli tornado tqdm
    typer typing-extensions typing-inspection tzdata tzlocal ujson uritemplate urllib3 uvicorn
    uvloop vine waitress watchfiles wcwidth webargs websocket-client websockets werkzeug wheel
    whitenoise wrapt wsproto wtforms xlrd xlsxwriter yarl zipp
    """.split()  # noqa: SIM905 - a list of names is read as words
)
