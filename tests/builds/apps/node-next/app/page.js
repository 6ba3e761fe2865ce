export default function Page() {
  return <h1>Welcome to the shop</h1>
}
