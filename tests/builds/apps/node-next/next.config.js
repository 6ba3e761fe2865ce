/** @type {import('next').NextConfig} */
module.exports = { poweredByHeader: false, generateEtags: false, generateBuildId: () => 'shop' }
