"""Packages of npm that need more of the system than a slim image holds.

They call programs (git, ps, openssl, ImageMagick, ffmpeg, a browser), or link libraries that the
full images of Node.js bring along. Sources: their own installation manuals.
"""

from __future__ import annotations

NEEDS_SYSTEM = frozenset(
    """
    @prisma/client prisma canvas puppeteer puppeteer-core playwright playwright-core pg-native gm
    imagemagick fluent-ffmpeg nodegit simple-git isomorphic-git pm2 pidusage ps-node ps-list
    ps-tree tree-kill phantomjs phantomjs-prebuilt wkhtmltopdf html-pdf node-html-to-image oracledb
    ibm_db odbc libpq usb serialport kerberos unix-dgram systeminformation execa cross-spawn
    shelljs zx python-shell node-pty selenium-webdriver webdriverio cypress chromedriver
    whatsapp-web.js venom-bot @wppconnect-team/wppconnect pdf-image pdf-poppler sharp-cli
    node-poppler tesseractocr libxmljs node-expat @tensorflow/tfjs-node ldapjs-client node-cmd
    systray fontkit-next tar-fs-native dockerode-cli node-rdkafka zeromq gl speaker node-printer
    """.split()  # noqa: SIM905 - a list of names is read as words
)
#: Programs of packages that keep a service running, and the package they come from.
PROGRAM_OF = {
    "next": "next",
    "nuxt": "nuxt",
    "serve": "serve",
    "http-server": "http-server",
    "pm2-runtime": "pm2",
    "ts-node": "ts-node",
    "tsx": "tsx",
    "nest": "@nestjs/cli",
    "vite": "vite",
    "react-scripts": "react-scripts",
    "nodemon": "nodemon",
}
