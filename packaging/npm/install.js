// Puts the binary of this platform in the place of the script that would start it, which
// spares every call a shell. Where that cannot be done, the script stays.
const fs = require('fs')
const path = require('path')

const name = `cachex-${process.platform}-${process.arch}`
const command = path.join(__dirname, 'bin', 'cachex')
try {
  const binary = require.resolve(`${name}/bin/cachex`)
  const beside = `${command}.${process.pid}`
  try {
    fs.linkSync(binary, beside)
  } catch {
    fs.copyFileSync(binary, beside)
  }
  fs.chmodSync(beside, 0o755)
  fs.renameSync(beside, command)
} catch (error) {
  console.warn(`cachex: ${error.message.split('\n')[0]}; a script will start it`)
}
